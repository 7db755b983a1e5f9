"""One of a team's own services: where it is, how to log in, and the operations that flows may call."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from integrations.base import Section
from models.units import Duration, Rate, RateField

FIELD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,59})\}")
"""A field's place in an operation's path, query or body."""


class AuthSettings(Section):
    """A header that says who we are: `Authorization: Bearer …` where nothing else is said."""

    header: str = Field("Authorization", pattern=r"^[A-Za-z][A-Za-z0-9-]{0,99}$", examples=["X-Api-Key"])
    scheme: str = Field("Bearer", pattern=r"^[A-Za-z]*$", examples=["Bearer"])
    """Empty where the secret stands alone."""
    secret_env: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$", examples=["PAGER_TOKEN"])
    """Name of the environment variable that holds the secret."""


class OperationSettings(Section):
    """One request; `{name}` in path, query and body stands for a field that the calling step fills."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str = Field(pattern=r"^/[^?#\s\\]*$", examples=["/teams/{team}/on-call"])
    query: Mapping[str, Any] = {}
    body: Mapping[str, Any] | None = None
    answer: str | None = None
    """A JMESPath expression that picks what is kept of the answer."""

    @property
    def reads(self) -> bool:
        return self.method == "GET"

    @property
    def fields(self) -> frozenset[str]:
        """The fields to be filled."""
        return frozenset(
            name for text in _texts((self.path, self.query, self.body)) for name in FIELD.findall(text)
        )

    @field_validator("path")
    @classmethod
    def _stays(cls, value: str) -> str:
        if any(part in (".", "..") for part in value.split("/")):
            raise ValueError("must not hold . or .. as a part")
        return value

    @field_validator("answer")
    @classmethod
    def _is_expression(cls, value: str | None) -> str | None:
        if value is not None:
            import jmespath
            from jmespath.exceptions import JMESPathError

            try:
                jmespath.compile(value)
            except JMESPathError as error:
                words = " ".join(str(error).split())[:160]
                raise ValueError(f"is no JMESPath expression ({words})") from None
        return value

    @model_validator(mode="after")
    def _fits_method(self) -> "OperationSettings":
        if self.reads and self.body is not None:
            raise ValueError("a GET has no body; write its values into query")
        if self.answer is not None and not self.reads:
            raise ValueError("answer is for GET: what a writing operation answers comes too late for a flow")
        return self


class RestSettings(Section):
    base_url: str = Field(pattern=r"^https?://[^\s?#]+$", examples=["https://pager.example.com/api"])
    auth: AuthSettings | None = None
    rate_limit: RateField = Rate(60, 60)
    timeout: Duration = Field(10.0, gt=0, le=60)
    operations: Mapping[str, OperationSettings] = Field(min_length=1)

    @field_validator("operations")
    @classmethod
    def _names(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in value:
            named(name)
        return value


def named(name: str) -> str:
    """The name of a service or operation; ValueError where it is none."""
    if re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name) is None:
        raise ValueError(f"{name[:60]!r} is no name; write lower-case letters, digits and _")
    return name


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
