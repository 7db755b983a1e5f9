"""Asks a language model for one typed answer: one request, bounded in time and size, errors named for what to do."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import Any

from pydantic import BaseModel, ValidationError

from integrations.llm.payloads import SHAPES, instructions, prompt
from integrations.llm.settings import LlmSettings, Prices
from integrations.resilience import Guard, retry_after
from models.asks import DraftKind
from models.errors import BadCredential, RateLimited, Rejected, SwitchyardError, Transient, Unauthorized

OPENAI = "https://api.openai.com/v1"
BODY_LIMIT = 256_000
"""Bytes of an answer; a longer one is not read on."""
OVERHEAD = 900
"""Tokens of the instructions and the answer's shape, generously."""


@dataclass(frozen=True, slots=True)
class Written:
    """What one question brought: the answer, or what was wrong with it in `complaint`; and what it used."""

    draft: BaseModel | None
    complaint: str
    input_tokens: int
    output_tokens: int


def installed() -> bool:
    """Is the extra `llm` there?"""
    return find_spec("pydantic_ai") is not None and find_spec("openai") is not None


def known_prices(settings: LlmSettings) -> Prices | None:
    """What the configuration says a million tokens cost, else what OpenAI asks for a model of its own."""
    if settings.prices is not None or settings.base_url is not None:
        return settings.prices
    from genai_prices import Usage, calc_price

    name = settings.model.partition(":")[2]
    try:
        found = calc_price(Usage(input_tokens=10**6, output_tokens=10**6), name, provider_id="openai")
    except LookupError:
        return None
    return Prices(input=float(found.input_price), output=float(found.output_price))


class LlmClient:
    """One model at one service. Libraries are imported at first use, in a thread: they take two seconds."""

    def __init__(self, settings: LlmSettings, key: str, guard: Guard, *, user_agent: str) -> None:
        self.settings = settings
        self.guard = guard
        self._key = key
        self._user_agent = user_agent
        self._agents: Mapping[DraftKind, Any] = {}
        self._http: Any = None
        self._loading = threading.Lock()

    def estimate(self, material: str, complaint: str = "") -> tuple[int, int]:
        """(input, output) tokens that a question may take at the most: what is reserved for it."""
        return len((material + complaint).encode()) // 3 + OVERHEAD, self.settings.max_tokens

    async def write(self, kind: DraftKind, material: str, complaint: str, timeout: float) -> Written:
        """One question, one request. Raises models.errors; a Transient tells by `maybe_sent` if it may be charged."""
        agents = self._agents or await asyncio.to_thread(self._load)
        return await self.guard.call(
            lambda: self._ask(agents[kind], prompt(material, complaint)), timeout=timeout
        )

    async def check(self) -> str:
        """Ask which models there are; a sentence for `doctor`. Costs nothing."""
        await asyncio.to_thread(self._load)
        name = self.settings.model.partition(":")[2]
        names = await self.guard.call(self._models)
        if name not in names:
            shown = ", ".join(sorted(names)[:8]) or "none"
            raise Rejected(f"llm: the service has no model {name!r}; it has {shown}")
        return f"the service has {name}; drafts are on"

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def _models(self) -> list[str]:
        with _named_errors():
            page = await self._client.models.list()
        return [model.id for model in page.data][:1_000]

    async def _ask(self, agent: Any, words: str) -> Written:
        from pydantic_ai import RunUsage, UnexpectedModelBehavior, UsageLimits
        from pydantic_ai.exceptions import ContentFilterError

        usage = RunUsage()
        draft, complaint = None, ""
        with _named_errors():
            try:
                limits = UsageLimits(request_limit=1)
                draft = (await agent.run(words, usage=usage, usage_limits=limits)).output
            except ContentFilterError:
                complaint = ""
            except UnexpectedModelBehavior as error:
                complaint = _what_was_wrong(error)
        return Written(draft, complaint, usage.input_tokens, usage.output_tokens)

    def _load(self) -> Mapping[DraftKind, Any]:
        with self._loading:
            if self._agents:
                return self._agents
            import httpx2
            from openai import AsyncOpenAI
            from pydantic_ai import Agent
            from pydantic_ai.models.openai import OpenAIChatModel
            from pydantic_ai.providers.openai import OpenAIProvider

            settings = self.settings
            self._http = httpx2.AsyncClient(timeout=self.guard.timeout, event_hooks={"response": [_bound]})
            self._client = AsyncOpenAI(
                api_key=self._key,
                # Said outright: the library would read it from a variable that is none of ours.
                base_url=settings.base_url or OPENAI,
                http_client=self._http,
                max_retries=0,
                timeout=self.guard.timeout,
                default_headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
            )
            self._client.organization = self._client.project = None
            model = OpenAIChatModel(
                settings.model.partition(":")[2], provider=OpenAIProvider(openai_client=self._client)
            )
            self._agents = {
                kind: Agent(
                    model,
                    output_type=shape,
                    instructions=instructions(kind),
                    model_settings={"max_tokens": settings.max_tokens},
                    retries=0,
                    name=kind,
                )
                for kind, shape in SHAPES.items()
            }
            return self._agents


@contextmanager
def _named_errors() -> Iterator[None]:
    """The libraries' errors as ours. `maybe_sent` says of a Transient that the question may have been paid for."""
    from openai import APIConnectionError, APIStatusError
    from pydantic_ai import ModelAPIError, ModelHTTPError
    from pydantic_ai.exceptions import ModelConnectionError, ModelQuotaExceededError

    try:
        yield
    except ModelQuotaExceededError:
        later = datetime.now(UTC) + timedelta(minutes=10)
        raise RateLimited("llm: the account's quota is spent; top it up", later) from None
    except ModelHTTPError as error:
        raise _refused(error.status_code, error.headers or {}, error.provider_error_code) from None
    except APIStatusError as error:
        raise _refused(error.status_code, error.response.headers, error.code) from None
    except (ModelConnectionError, APIConnectionError) as error:
        unsent = getattr(error, "phase", None) in ("pool", "connect")
        words = "cannot connect" if unsent else f"the answer could not be read ({_cause(error)})"
        raise Transient(f"llm: {words}", maybe_sent=not unsent) from None
    except ModelAPIError as error:
        raise Transient(f"llm: {type(error).__name__}") from None
    except _TooMuch as error:
        raise Transient(f"llm: the answer could not be read ({error})") from None


def _refused(status: int, headers: Mapping[str, str], code: str | None) -> SwitchyardError:
    """What an HTTP status says. The service's own words may quote the material, so its code alone is told."""
    reason = f" ({code[:60]})" if isinstance(code, str) and code.replace("_", "").isalnum() else ""
    if status == 429:
        return RateLimited("llm: too many requests", retry_after(headers.get("retry-after"), default=20))
    if status == 401:
        return BadCredential(f"llm: the credential was refused{reason}; renew LLM_API_KEY")
    if status == 403:
        return Unauthorized(f"llm: forbidden{reason}; check what LLM_API_KEY may do")
    if status >= 500 or status == 408:
        return Transient(f"llm: HTTP {status}", maybe_sent=False)
    return Rejected(f"llm: HTTP {status}{reason}", status=status)


def _cause(error: BaseException) -> str:
    """The innermost reason, by its own words where they are ours."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) if isinstance(error, _TooMuch) else type(error).__name__


class _TooMuch(Exception):
    """An answer that is not read to its end."""


async def _bound(response: Any) -> None:
    """An event hook: from here on the body fails where it gets longer than it may be."""
    from httpx2 import AsyncByteStream

    if response.headers.get("content-encoding", "identity") != "identity":
        raise _TooMuch("packed, though it was asked not to be")

    class Bounded(AsyncByteStream):
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for chunk in self._stream:
                size += len(chunk)
                if size > BODY_LIMIT:
                    raise _TooMuch(f"longer than {BODY_LIMIT // 1000} kB")
                yield chunk

        async def aclose(self) -> None:
            await self._stream.aclose()

    response.stream = Bounded(response.stream)


def _what_was_wrong(error: Exception) -> str:
    """For the model's second try: where its answer did not fit, in words that are not its own."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ValidationError):
        places = [
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in cause.errors(include_input=False)
        ]
        return "; ".join(places[:6])[:300]
    return "it did not have the shape that was asked for"
