"""The language model's stand-in, and what the real client asks of it, against OpenAI's own document."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.sandbox import create_app, running
from integrations.base import BreakerSettings, RetrySettings
from integrations.llm.client import LlmClient
from integrations.llm.payloads import SHAPES
from integrations.llm.sandbox.service import HUGE, MODES
from integrations.llm.settings import LlmSettings
from integrations.resilience import Guard
from models.asks import DraftKind
from models.errors import SwitchyardError
from tests.contracts.api import Api, Reply
from tests.contracts.checked import checked

MATERIAL = "[title]\nAdd a dark mode\n\n[text]\nThe page is too bright at night for me.\n\n[file docs/a.md]\n# Themes"


def ask(api: Api, key: str = "sandbox", **changes: Any) -> Reply:
    """A completion with a tool for the answer, as pydantic-ai asks for it."""
    parameters = SHAPES["spec"].model_json_schema()
    body = {
        "model": "sandbox",
        "messages": [{"role": "user", "content": f"<material>\n{MATERIAL}\n</material>"}],
        "tools": [{"type": "function", "function": {"name": "final_result", "parameters": parameters}}],
        **changes,
    }
    return api.call("POST", "/v1/chat/completions", body, {}, {"authorization": f"Bearer {key}"})


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_fits_the_document(api: Api, mode: str) -> None:
    api.control(llm=mode)
    reply = ask(api)
    assert reply.status == 200
    assert ("usage" in reply.json) == (mode != "no_usage")
    assert len(reply.body) > HUGE or mode != "huge"


def test_answers_in_the_shape_that_was_asked_for(api: Api) -> None:
    call = ask(api).json["choices"][0]["message"]["tool_calls"][0]["function"]
    assert call["name"] == "final_result"
    assert json.loads(call["arguments"])["proposal"] == "Build what is asked for: Add a dark mode"
    shape = {"name": "page", "schema": SHAPES["page"].model_json_schema()}
    with api.app.wrong_on_purpose():  # tools may be left out, not null
        reply = ask(api, tools=None, response_format={"type": "json_schema", "json_schema": shape})
    assert json.loads(reply.json["choices"][0]["message"]["content"])["path"] == "docs/a.md"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"key": "bad"}, 401, "invalid_api_key"),
        ({"model": "gpt-9"}, 404, "model_not_found"),
        ({"stream": True}, 400, "unsupported_value"),
    ],
)
def test_refusals(api: Api, changes: dict[str, Any], status: int, code: str) -> None:
    reply = ask(api, **changes)
    assert (reply.status, reply.json["error"]["code"]) == (status, code)


def test_a_request_without_messages_is_refused(api: Api) -> None:
    with api.app.wrong_on_purpose():
        reply = api.call(
            "POST", "/v1/chat/completions", {"model": "sandbox"}, {}, {"authorization": "Bearer k"}
        )
    assert reply.status == 400


def test_unknown_mode_is_named(api: Api) -> None:
    reply = api.control(llm="rude")
    assert reply.status == 400 and "plausible" in reply.json["error"]


def test_faults_have_openai_shape(api: Api) -> None:
    api.control(service="llm", fault="status", status=429, times=1)
    assert ask(api).json["error"]["code"] == "rate_limit_exceeded"


@pytest.fixture
def client() -> Iterator[tuple[LlmClient, Any]]:
    app = checked(create_app([]), required=False)
    with running(app) as sandbox:
        settings = LlmSettings(model="openai:sandbox", base_url=f"{sandbox.url}/v1")
        guard = Guard("llm", limits=[], timeout=20, breaker=BreakerSettings(), retry=RetrySettings())
        yield LlmClient(settings, "sandbox", guard, user_agent="switchyard/test"), app
        assert app.violations == []
        assert not app.unchecked


@pytest.mark.parametrize("kind", list(SHAPES))
def test_the_real_client_keeps_to_the_document(client: tuple[LlmClient, Any], kind: DraftKind) -> None:
    model, app = client

    async def work() -> tuple[Any, str]:
        written = await model.write(kind, MATERIAL, "", 20)
        said = await model.check()
        await model.close()
        return written, said

    written, said = asyncio.run(work())
    assert isinstance(written.draft, SHAPES[kind])
    assert written.input_tokens > 100 and written.output_tokens > 10
    assert said == "the service has sandbox; drafts are on"
    (asked,) = app.sandbox.llm.asked
    (tool,) = asked["tools"]
    assert tool["function"]["name"] == "final_result", "the answer's own shape is the one tool there is"
    assert asked["max_completion_tokens"] == 2_000
    assert "</material>" in asked["messages"][-1]["content"]


def test_doctor_is_told_of_a_wrong_model(client: tuple[LlmClient, Any]) -> None:
    model, _ = client
    object.__setattr__(model.settings, "model", "openai:gpt-9")

    async def work() -> None:
        try:
            await model.check()
        finally:
            await model.close()

    with pytest.raises(SwitchyardError, match="no model 'gpt-9'; it has sandbox"):
        asyncio.run(work())
