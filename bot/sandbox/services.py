"""All stand-ins together: their state, the faults that are on, the log of requests, and the seed."""

from collections.abc import Iterable, Mapping
from typing import Any

from integrations.github.sandbox.service import GitHubSandbox
from integrations.llm.sandbox.service import LlmSandbox
from integrations.notion.sandbox.service import NotionSandbox
from integrations.osv.sandbox.service import OsvSandbox
from integrations.rest.sandbox.service import RestSandbox
from integrations.sandbox_faults import FaultBook, RequestLog
from integrations.shortcut.sandbox.service import ShortcutSandbox
from integrations.slack.sandbox.service import SlackSandbox
from integrations.webhook.sandbox.service import WebhookSandbox


class Services:
    """Every service as it stands, and how it was seeded."""

    def __init__(self, *, latency_ms: float, enforce_rate_limits: bool, time_scale: float) -> None:
        self.log = RequestLog()
        self.faults = FaultBook()
        self.latency_ms = latency_ms
        self.connections_opened = 0
        self._options = (enforce_rate_limits, time_scale)
        self._seed: list[Mapping[str, Any]] = []
        self._files: dict[str, Mapping[str, str]] = {}
        self.reset()

    def reset(self) -> None:
        """Start again with the seeded issues and nothing else; the log, too, is empty again."""
        enforce, scale = self._options
        self.log.clear()
        self.github = GitHubSandbox(
            enforce=enforce, scale=scale, in_flight=lambda: self.log.in_flight["github"]
        )
        self.shortcut = ShortcutSandbox(enforce=enforce, scale=scale)
        self.slack = SlackSandbox(enforce=enforce, scale=scale)
        self.webhook = WebhookSandbox()
        self.services = RestSandbox()
        self.llm = LlmSandbox()
        self.notion = NotionSandbox(enforce=enforce, scale=scale)
        self.osv = OsvSandbox()
        self.seed_files(self._files)
        for issue in self._seed:
            self.github.repositories.get_or_add(str(issue["repo"])).seed(issue)

    def seed_files(self, files: Mapping[str, Mapping[str, str]]) -> None:
        """Put these files into their repositories, by path; a reset comes back to them."""
        self._files.update(files)
        for repo, texts in files.items():
            self.github.control_repo(repo, None, texts)

    def seed(self, issues: Iterable[Mapping[str, Any]]) -> None:
        """Put these issues in; a reset comes back to them."""
        for issue in issues:
            self._seed.append(issue)
            self.github.repositories.get_or_add(str(issue["repo"])).seed(issue)

    def repositories(self) -> list[str]:
        """Names of the repositories that there are."""
        return [repo.full_name for repo in self.github.repositories]
