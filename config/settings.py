"""The whole configuration, assembled from each part's own section."""

import os
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator, model_validator

from integrations.base import BreakerSettings, RetrySettings, Section
from integrations.email.settings import EmailSettings
from integrations.github.settings import GithubSettings
from integrations.llm.settings import LlmSettings
from integrations.notion.settings import NotionSettings
from integrations.osv.settings import OsvSettings
from integrations.rest.settings import RestSettings, named
from integrations.shortcut.settings import ShortcutSettings
from integrations.slack.settings import SlackSettings
from integrations.webhook.settings import WebhookSettings
from models.units import Duration


def _split(value: Any) -> Any:
    """Lists may be given as one comma-separated string, as environment variables are."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Repository = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")]


class ScheduleSettings(Section):
    nightly: str | None = "0 2 * * *"
    retrain: str | None = "0 4 * * 0"
    """When the router is trained on what people corrected; the new model is only proposed."""
    timezone: str = "UTC"
    sweep: Duration = Field(900.0, ge=0)
    """How often `serve` looks for webhook deliveries that it missed; 0 turns that off."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception:
            raise ValueError(f"{value!r} is not a time zone; write Europe/Berlin or UTC") from None
        return value

    @field_validator("nightly", "retrain")
    @classmethod
    def _valid_cron(cls, value: str | None) -> str | None:
        # Five fields are checked here so that a short command need not import APScheduler for it;
        # their values are checked where the trigger is made.
        if value is not None and len(value.split()) != 5:
            raise ValueError(f"{value!r} is not a cron expression of five fields, like 0 2 * * *")
        return value


class StorageSettings(Section):
    url: str = Field(
        "sqlite:///var/switchyard.db",
        pattern=r"^(sqlite:///.|postgresql(\+\w+)?://)",
        examples=["sqlite:///var/switchyard.db or postgresql://user@host/name"],
    )


class ScalingSettings(Section):
    batch_size: int = Field(100, ge=1, le=1000)
    parallel_workers: int = Field(10, ge=1, le=100)
    max_memory_mb: int = Field(4096, ge=128)
    requests_in_flight: int = Field(30, ge=1, le=100)
    cpu_workers: int | Literal["auto"] = "auto"

    @property
    def cpu_count(self) -> int:
        """Child processes for CPU work: one fewer than cores, at least one; 0 thinks in a thread."""
        if self.cpu_workers == "auto":
            return max(1, min((os.cpu_count() or 2) - 1, self.parallel_workers))
        return self.cpu_workers

    @field_validator("cpu_workers")
    @classmethod
    def _not_negative(cls, value: int | str) -> int | str:
        if isinstance(value, int) and not 0 <= value <= 64:
            raise ValueError("must be auto or 0 to 64")
        return value


class ResilienceSettings(Section):
    circuit_breaker: BreakerSettings = BreakerSettings()
    retry: RetrySettings = RetrySettings()


class RuleSettings(Section):
    """A business rule; where all given conditions hold, `action` the `route`."""

    route: Literal["bug", "feature", "docs", "security", "needs_human"]
    action: Literal["force", "forbid", "boost"] = "force"
    weight: float = Field(1.0, ge=0.1, le=10)
    """Of a boost: the log-odds that are added, so 1 makes the odds 2.7 times as high."""
    name: str = ""
    repository: str | None = None
    label: str | None = None
    author: str | None = None
    path: str | None = None
    pattern: str | None = Field(None, max_length=500)

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        import re

        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"{value!r} is not a regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _has_condition(self) -> "RuleSettings":
        if not any((self.repository, self.label, self.author, self.path, self.pattern)):
            raise ValueError("needs a condition: repository, label, author, path or pattern")
        return self

    @model_validator(mode="after")
    def _boost_makes_sense(self) -> "RuleSettings":
        if self.action == "boost" and self.route == "needs_human":
            raise ValueError(
                "needs_human has no odds to boost; force it, or boost bug, feature, docs or security"
            )
        if self.action != "boost" and "weight" in self.model_fields_set:
            raise ValueError(f"weight is for action: boost, this rule's is {self.action}")
        return self


class RouterSettings(Section):
    model: str = "builtin"
    accept_threshold: float | Literal["auto"] = "auto"
    rules: tuple[RuleSettings, ...] = ()
    needs_human: Literal["ask", "story"] = "ask"
    approve: Annotated[frozenset[Literal["bug", "feature", "docs", "security"]], BeforeValidator(_split)] = (
        frozenset()
    )
    """Routes for which a person is asked before a story is made."""

    @field_validator("accept_threshold")
    @classmethod
    def _share(cls, value: float | str) -> float | str:
        if isinstance(value, float) and not 0 <= value <= 1:
            raise ValueError("must be auto or between 0 and 1")
        return value


class IntegrationsSettings(Section):
    github: GithubSettings = GithubSettings()
    shortcut: ShortcutSettings | None = None
    slack: SlackSettings | None = None
    email: EmailSettings | None = None
    webhooks: tuple[WebhookSettings, ...] = ()
    notion: NotionSettings | None = None
    osv: OsvSettings | None = None
    llm: LlmSettings | None = None
    services: Mapping[str, RestSettings] = {}
    """A team's own services, by the name that flows use."""

    @field_validator("services")
    @classmethod
    def _names_of_their_own(cls, value: Mapping[str, RestSettings]) -> Mapping[str, RestSettings]:
        for name in value:
            if named(name) in cls.model_fields or name == "webhook":
                raise ValueError(f"{name!r} is the name of an integration; choose another for the service")
        return value


class AlertSettings(Section):
    error_rate: float = Field(0.05, ge=0, le=1)
    latency_p99: Duration = 5.0


class MonitoringSettings(Section):
    metrics_endpoint: str = Field("/metrics", pattern=r"^/[A-Za-z0-9/_-]+$", examples=["/metrics"])
    health_check_interval: Duration = Field(30.0, gt=0)
    alert_thresholds: AlertSettings = AlertSettings()
    public_url: str | None = Field(
        None, pattern=r"^https?://[^\s<>\"']+$", examples=["https://triage.example.com"]
    )
    """Where people reach `serve`; mails link to the reports there."""


Login = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$", examples=["octocat"])]
Logins = Annotated[frozenset[Login], BeforeValidator(_split)]


class AccessSettings(Section):
    """Who may do what on the pages of `serve`, and by its API, after logging in with GitHub."""

    admins: Logins = frozenset()
    operators: Logins = frozenset()
    viewers: Logins = frozenset()
    from_permissions: bool = True
    """Who is listed nowhere has the role that goes with what they may do in every repository that is served."""
    trusted_proxies: Annotated[tuple[str, ...], BeforeValidator(_split)] = ()
    """Addresses of proxies before `serve`, whose X-Forwarded-For and X-Forwarded-Proto are believed."""

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            try:
                ip_network(address)
            except ValueError:
                raise ValueError(
                    f"{address!r} is no address or network; write 10.0.0.5 or 10.0.0.0/24"
                ) from None
        return value


class Settings(Section):
    """Everything under `workflow:`; defaults are those of config/default.yaml."""

    name: str = Field("triage", min_length=1, max_length=60)
    version: Annotated[str, BeforeValidator(str)] = "2.0"
    repositories: Annotated[tuple[Repository, ...], BeforeValidator(_split)] = Field(
        (), examples=["OWNER/NAME"]
    )
    schedule: ScheduleSettings = ScheduleSettings()
    storage: StorageSettings = StorageSettings()
    scaling: ScalingSettings = ScalingSettings()
    resilience: ResilienceSettings = ResilienceSettings()
    router: RouterSettings = RouterSettings()
    subflows: Mapping[str, Any] = Field(default_factory=dict)
    integrations: IntegrationsSettings = IntegrationsSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    access: AccessSettings = AccessSettings()
