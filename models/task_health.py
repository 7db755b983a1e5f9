"""Which background tasks fail again and again."""

from dataclasses import dataclass, field

FAILING_AFTER = 3
"""Failures in a row after which a task counts as failing; a single one may be a restart of the database."""


@dataclass(slots=True)
class TaskHealth:
    """Counts each task's failures in a row; a turn that went well ends the row."""

    _failures: dict[str, int] = field(default_factory=dict)
    _errors: dict[str, str] = field(default_factory=dict)

    def worked(self, task: str) -> None:
        """A turn of this task went well."""
        self._failures.pop(task, None)
        self._errors.pop(task, None)

    def failed(self, task: str, error: str) -> None:
        """A turn of this task failed; `error` is one line without secrets."""
        self._failures[task] = self._failures.get(task, 0) + 1
        self._errors[task] = error

    @property
    def failing(self) -> dict[str, str]:
        """The last error of each task that failed so often in a row that nothing is done any more."""
        return {name: self._errors[name] for name, n in self._failures.items() if n >= FAILING_AFTER}
