"""The manifest and the page that connect a Slack app ask for what the code uses, no more and no less."""

import json
import re
from pathlib import Path

import yaml

from bot.trigger.slack import PATH
from config.settings import Settings
from integrations.slack import client, commands, payloads_cases, webhook
from integrations.slack.webhook import COMMANDS, interaction_of

DOCS = Path(__file__).parents[2] / "docs"
MANIFEST = json.loads((DOCS / "slack-app-manifest.json").read_text())
PAGE = (DOCS / "slack.md").read_text()
SCOPES = {
    "auth.test": None,
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "conversations.history": "channels:history",
    "conversations.list": "channels:read",
    "conversations.replies": "channels:history",
    "files.completeUploadExternal": "files:write",
    "files.getUploadURLExternal": "files:write",
    "views.publish": None,
}
"""What each method needs, as Slack's reference says."""


def test_the_scopes_are_those_of_the_methods_in_use() -> None:
    source = "".join(Path(module.__file__ or "").read_text() for module in (client, commands))
    used = set(re.findall(r'"((?:chat|conversations|files|views|users|reactions)\.\w+)"', source)) | {
        "auth.test"
    }
    assert used == set(SCOPES)
    scopes = set(MANIFEST["oauth_config"]["scopes"]["bot"])
    assert scopes == {SCOPES[name] for name in used} - {None} | {"chat:write.public", "commands"}
    assert "user" not in MANIFEST["oauth_config"]["scopes"]
    assert all(f"`{scope}`" in PAGE for scope in scopes)


def test_everything_comes_to_the_one_address() -> None:
    settings, (command,) = MANIFEST["settings"], MANIFEST["features"]["slash_commands"]
    urls = {
        command["url"],
        settings["interactivity"]["request_url"],
        settings["event_subscriptions"]["request_url"],
    }
    assert urls == {f"https://triage.example.com{PATH}"}
    assert json.dumps(MANIFEST).count("triage.example.com") == 3
    assert settings["interactivity"]["is_enabled"] and not settings["socket_mode_enabled"]
    assert MANIFEST["features"]["app_home"]["home_tab_enabled"]


def test_the_events_are_those_that_are_understood() -> None:
    (event,) = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    body = {"type": "event_callback", "event": {"type": event, "user": "U1", "tab": "home"}}
    found = interaction_of(body)
    assert found is not None and found.kind == "home"


def test_the_command_and_its_words_are_all_told() -> None:
    (command,) = MANIFEST["features"]["slash_commands"]
    assert command["command"] == "/triage"
    for word in COMMANDS:
        assert re.search(rf"\b{word}\b", command["usage_hint"]), word
        assert f"/triage {word}" in PAGE, word


def test_every_button_is_told() -> None:
    source = Path(payloads_cases.__file__).read_text()
    for words in re.findall(r'button\("([^"{]+)"', source):
        assert f"*{words}*" in PAGE, words
    assert set(webhook.BUTTONS) == {"route", "why", "snooze", "ignore", "approve", "hold"}


def test_the_page_holds_true() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    settings = Settings.model_validate(yaml.safe_load(text)["workflow"])
    slack = settings.integrations.slack
    assert slack is not None and slack.quiet_hours and settings.router.approve == {"feature"}
    for name in re.findall(r"\]\(([\w.-]+\.(?:png|json|md))\)", PAGE):
        assert (DOCS / name).is_file(), name
