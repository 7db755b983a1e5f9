"""Errors named for what to do about them; every client translates its library's errors into these."""

from collections.abc import Callable
from datetime import datetime

_clean: Callable[[str], str] = str


def clean_with(clean: Callable[[str], str]) -> None:
    """Let this take the secrets out of each error's text; it knows them, and this layer does not."""
    global _clean
    _clean = clean


class SwitchyardError(Exception):
    """Base of all errors that Switchyard expects; its text is written for people.

    It is shown, logged, stored and posted in many places, so it is cleaned where it is made.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(_clean(message))


class Transient(SwitchyardError):
    """Try again later; counts against the breaker.

    `maybe_sent` is False where the request certainly never reached the service (connection
    refused, breaker open); where it is True a write must be looked up before it is repeated.
    """

    def __init__(self, message: str, *, maybe_sent: bool = True) -> None:
        super().__init__(message)
        self.maybe_sent = maybe_sent


class BreakerOpen(Transient):
    """Not sent: the breaker is open until `until`."""

    def __init__(self, service: str, until: datetime) -> None:
        super().__init__(f"{service}: breaker open, next probe at {until:%H:%M:%S} UTC", maybe_sent=False)
        self.until = until


class RateLimited(SwitchyardError):
    """Wait until `until`; no fault of the command and none of the service.

    `sent` is True where the service refused the request, False where our own budget held it back.
    `only_content` is True where just the budget for creating content is spent.
    """

    def __init__(
        self, message: str, until: datetime, *, sent: bool = True, only_content: bool = False
    ) -> None:
        super().__init__(message)
        self.until = until
        self.sent = sent
        self.only_content = only_content


class Unavailable(SwitchyardError):
    """The one receiver of this command does not take it now: try again at `until`; no other command waits."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class LaneLost(SwitchyardError):
    """Not sent: this process was silent for so long that another one may have taken its lane."""


class Rejected(SwitchyardError):
    """The service refused the request for good, in its own words; `status` is the HTTP status or 0."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Unauthorized(SwitchyardError):
    """The credential is missing, expired or lacks a permission; the lane stops, nothing dies."""


class BadCredential(Unauthorized):
    """The credential itself was refused, so nothing at all can be done with it."""


class UserFacing(SwitchyardError):
    """Bad usage or configuration: show the text and exit 2."""


_PLAIN = {
    "missing": "is required",
    "missing_argument": "is required",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "string_type": "must be text",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "set_type": "must be a list",
    "frozen_set_type": "must be a list",
    "mapping_type": "must hold keys and values",
    "dict_type": "must hold keys and values",
    "model_type": "must hold keys and values",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
}


def plain(kind: str, message: str) -> str:
    """What Pydantic says of a value, in words for people who do not know Python."""
    said = message.removeprefix("Value error, ").replace("Input should be", "must be", 1)
    return _PLAIN.get(kind, said[:1].lower() + said[1:])
