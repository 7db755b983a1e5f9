"""What a repository may say of itself in `.github/switchyard.yml`; its text is anybody's and may be meant to harm."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from config.load import LOADER, Source, explain, parse
from config.settings import RuleSettings
from integrations.base import Section
from models.case import Route
from models.errors import UserFacing
from models.text.escape import clean, one_line
from models.text.secrets import redact
from nodes.base import Policy, Rule
from nodes.text.safety import linear

FILE = ".github/switchyard.yml"
MAX_BYTES = 65_536
MAX_DEPTH = 12
MAX_RULES = 50
MAX_HOOKS = 5
MOST_MISTAKES = 20
_LINE = 300
_CHANNEL = re.compile(r"#[\w-]{1,80}|[CG][A-Z0-9]{7,20}")


def _plain(value: str) -> str:
    if not value.isprintable() or not value.strip():
        raise ValueError("must be one line of visible characters")
    return value


def _channel(value: str) -> str:
    if not _CHANNEL.fullmatch(value):
        raise ValueError('write it like "#widgets", or as the channel\'s id')
    return value


Label = Annotated[str, Field(min_length=1, max_length=50), AfterValidator(_plain)]
Glob = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain)]
Channel = Annotated[str, AfterValidator(_channel)]


class RouteSection(Section):
    """One route, as this repository has it."""

    label: Label | None = None
    enabled: bool = True


class RoutesSection(Section):
    bug: RouteSection = RouteSection()
    feature: RouteSection = RouteSection()
    docs: RouteSection = RouteSection()
    security: RouteSection = RouteSection()
    needs_human: RouteSection = RouteSection()

    @field_validator("security", "needs_human")
    @classmethod
    def _always_there(cls, value: RouteSection) -> RouteSection:
        if not value.enabled:
            raise ValueError("cannot be switched off; leave `enabled` out")
        return value


class RepositoryRule(RuleSettings):
    """A business rule, as the operator's are; it holds for this repository and comes after theirs."""

    name: str = Field("", max_length=100)
    label: Glob | None = None
    author: Glob | None = None
    path: Glob | None = None

    @model_validator(mode="before")
    @classmethod
    def _here_only(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and "repository" in value:
            raise ValueError("rules here hold for this repository alone; leave `repository` out")
        return value

    @field_validator("name")
    @classmethod
    def _readable(cls, value: str) -> str:
        return _plain(value) if value else value

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                linear.compiled(value)
            except ValueError as error:
                raise ValueError(f"not an expression that RE2 takes: {error}") from None
        return value

    @model_validator(mode="after")
    def _has_condition(self) -> "RepositoryRule":
        if not any((self.label, self.author, self.path, self.pattern)):
            raise ValueError("needs a condition: label, author, path or pattern")
        return self

    @model_validator(mode="after")
    def _keeps_the_screen(self) -> "RepositoryRule":
        if self.route == "security" and self.action == "forbid":
            raise ValueError("security cannot be forbidden here; ask whoever runs the bot")
        return self


class ChannelsSection(Section):
    """Slack channels that are told of this repository in place of the operator's."""

    digest: Channel | None = None
    security: Channel | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_comment(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and any(name is None for name in value.values()):
            raise ValueError('quote the name, "#widgets": for YAML what comes after a bare # is a comment')
        return value


class HookSection(Section):
    """An outgoing webhook; its address must be public, which is seen when it is called."""

    url: str = Field(max_length=2_000)

    @field_validator("url")
    @classmethod
    def _public(cls, value: str) -> str:
        try:
            parts = urlsplit(_plain(value))
            fits = parts.scheme == "https" and bool(parts.hostname) and (parts.port or 443) > 0
        except ValueError:
            fits = False
        if not fits:
            raise ValueError("write it like https://hooks.example.com/triage")
        if parts.username is not None or parts.password is not None:
            raise ValueError("no names and passwords in an address: this file can be read by many")
        return value


class RepositorySettings(Section):
    """The whole file; what is left out is as the operator has it."""

    enabled: bool = True
    comment: Literal["always", "useful", "never"] | None = None
    needs_human: Literal["ask", "story"] | None = None
    routes: RoutesSection = RoutesSection()
    rules: tuple[RepositoryRule, ...] = Field((), max_length=MAX_RULES)
    channels: ChannelsSection = ChannelsSection()
    webhooks: tuple[HookSection, ...] = Field((), max_length=MAX_HOOKS)

    @field_validator("rules")
    @classmethod
    def _bounded(cls, value: tuple[RepositoryRule, ...]) -> tuple[RepositoryRule, ...]:
        total = sum(linear.size(rule.pattern) for rule in value if rule.pattern is not None)
        if total > linear.SIZE_LIMIT:
            raise ValueError(
                f"the patterns are too large together ({total} steps of {linear.SIZE_LIMIT}); "
                "counts like {1,500} and classes like \\pL cost most"
            )
        return value


def check(content: bytes) -> tuple[RepositorySettings | None, tuple[str, ...]]:
    """The configuration, or None and what is wrong: one line for each mistake, fit to be shown to people."""
    try:
        return _read(content), ()
    except UserFacing as error:
        return None, (_told(str(error)),)
    except _Mistakes as error:
        lines = [_told(line) for line in error.lines[:MOST_MISTAKES]]
        if len(error.lines) > MOST_MISTAKES:
            lines.append(f"and {len(error.lines) - MOST_MISTAKES} more")
        return None, tuple(lines)


def restored(data: Mapping[str, Any]) -> RepositorySettings:
    """What was stored as good; where this version finds it wanting, no more than its off switch."""
    try:
        return RepositorySettings.model_validate(data)
    except ValidationError:
        return RepositorySettings(enabled=data.get("enabled") is not False)


class _Mistakes(Exception):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines


def _read(content: bytes) -> RepositorySettings:
    if len(content) > MAX_BYTES:
        raise UserFacing(f"{FILE}: larger than {MAX_BYTES // 1024} KiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserFacing(f"{FILE}: not UTF-8 text") from None
    found = list(_secrets(text))
    if found:
        raise _Mistakes(found)
    _refuse_traps(text)
    document, lines = parse(text, FILE)
    source = Source(FILE, RepositorySettings, lines=lines)
    try:
        return RepositorySettings.model_validate({} if document is None else document)
    except ValidationError as error:
        raise _Mistakes(sorted(explain(error, source), key=_line_of)) from None


def _line_of(mistake: str) -> int:
    number = mistake.removeprefix(f"{FILE}:").partition(":")[0]
    return int(number) if number.isdecimal() else 0


def _secrets(text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), 1):
        for kind in redact(line)[1]:
            yield f"{FILE}:{number}: looks like a {kind}; take it out and renew it: many can read this file"


def _refuse_traps(text: str) -> None:
    """No aliases, of which few lines make millions, and nothing so deep that reading it ends the process."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=LOADER):
            assert event.start_mark is not None
            line = f"{FILE}:{event.start_mark.line + 1}"
            if isinstance(event, yaml.AliasEvent):
                raise UserFacing(f"{line}: anchors and aliases are not allowed here; write it out")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise UserFacing(f"{line}: nested too deeply")
    except yaml.YAMLError:
        return  # `parse` says where


def _told(line: str) -> str:
    return one_line(clean(redact(line)[0]), _LINE)


def off_words(repo: str) -> str:
    """Says that a repository switched the bot off, and where."""
    return f"{repo} is off: {FILE} says enabled: false"


def overlay(base: Policy, own: RepositorySettings) -> Policy:
    """The operator's policy with the repository's laid over it; what the operator forbids stays forbidden."""
    routes: dict[Route, Any] = {name: getattr(own.routes, name) for name in type(own.routes).model_fields}  # type: ignore[misc]
    labels = {str(name): route.label for name, route in routes.items() if route.label}
    rules = tuple(Rule(**rule.model_dump(), by="repository") for rule in own.rules)
    return replace(
        base,
        comment="never" if base.comment == "never" else own.comment or base.comment,
        needs_human=own.needs_human or base.needs_human,
        route_labels={**base.route_labels, **labels} if labels else base.route_labels,
        rules=(*base.rules, *rules),
        closed_routes=frozenset(name for name, route in routes.items() if not route.enabled),
    )
