"""Slack messages and home tabs as a web page that looks like Slack's; for `demo --live` and the documentation."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup

Block = Mapping[str, Any]

_LINK = re.compile(r"<(https?://[^<>|\s]+)(?:\|([^<>]*))?>")
_FORMATS = (
    (re.compile(r"`(?!\u2060)([^`\n]+)`(?!\u2060)"), r"<code>\1</code>"),
    (re.compile(r"(?<!\w)\*(?!\u2060|\s)([^*\n]+)\*(?!\u2060|\w)"), r"<b>\1</b>"),
    (re.compile(r"(?<!\w)_(?!\u2060|\s)([^_\n]+)_(?!\u2060|\w)"), r"<i>\1</i>"),
    (re.compile(r"^( {2,})", re.MULTILINE), r'<span class="in"></span>'),
    (re.compile(r"\n"), "<br>"),
)
_MARKS = tuple(pattern for pattern, tag in _FORMATS if r"\1" in tag)
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_EMOJI = re.compile(r":([a-z_]{2,30}):")
_SIGNS = {"white_check_mark": "✔", "warning": "⚠"}
_DOTS = {
    "beetle": "#d9480f",
    "seedling": "#2b8a3e",
    "books": "#1971c2",
    "lock": "#6741d9",
    "raising_hand": "#e8a200",
    "traffic_light": "#e8a200",
    "red_circle": "#c92a2a",
}
"""Emoji as dots: not every machine has their pictures."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One message of a channel, with those of its thread."""

    blocks: Sequence[Block]
    time: str = "09:00"
    replies: Sequence["Shown"] = ()
    only_you: bool = False


def message_page(channel: str, messages: Sequence[Shown]) -> str:
    """A channel with these messages."""
    return _page(channel, messages=messages, home=None)


def home_page(blocks: Sequence[Block]) -> str:
    """The bot's home tab."""
    return _page("Switchyard", messages=(), home=blocks)


def as_text(blocks: Sequence[Block]) -> str:
    """The blocks as plain text, as a terminal can show them; buttons stand in brackets, menus end in ▾."""
    parts: list[str] = []
    for block in blocks:
        texts = [block["text"]] if "text" in block else block.get("elements", ())
        words = [_words(text) for text in texts if text.get("type") in ("mrkdwn", "plain_text")]
        elements = [e for e in [*block.get("elements", ()), block.get("accessory")] if e]
        controls = [_control(element) for element in elements if "action_id" in element]
        parts.append("\n".join([" ".join(words)] * bool(words) + ["  ".join(controls)] * bool(controls)))
    return "\n".join(part for part in parts if part)


def _control(element: Block) -> str:
    if element.get("type") == "button":
        return f"[{_words(element['text'])}]"
    return f"[{_words(element.get('placeholder', {}))} ▾]"


def _words(text: Mapping[str, Any]) -> str:
    raw = str(text.get("text", ""))
    if text.get("type") == "mrkdwn":
        raw = _LINK.sub(lambda found: found[2] or found[1], raw)
        for pattern in _MARKS:
            raw = pattern.sub(r"\1", raw)
        for entity, sign in _ENTITIES:
            raw = raw.replace(entity, sign)
    return _EMOJI.sub(lambda found: _SIGNS.get(found[1], "●" if found[1] in _DOTS else found[0]), raw)


def _page(title: str, *, messages: Sequence[Shown], home: Sequence[Block] | None) -> str:
    from bot.report.html import environment

    template = environment().get_template("slack.html")
    return template.render(title=title, messages=messages, home=home, mrkdwn=mrkdwn)


def mrkdwn(text: Mapping[str, Any]) -> "Markup":
    """A text object as HTML; whatever it holds, nothing but links, bold, italic, code and dots comes of it."""
    from markupsafe import Markup

    raw = str(text.get("text", ""))
    if text.get("type") != "mrkdwn":
        return Markup(_with_emoji(escape(raw)))  # noqa: S704 (escaped above)
    parts, at = [], 0
    for found in _LINK.finditer(raw):
        parts.append(_plain(raw[at : found.start()]))
        words = _plain(found[2] or found[1])
        parts.append(f'<a href="{escape(found[1].replace("&amp;", "&"))}">{words}</a>')
        at = found.end()
    html = "".join([*parts, _plain(raw[at:])])
    for pattern, tag in _FORMATS:
        html = pattern.sub(tag, html)
    return Markup(_with_emoji(html))  # noqa: S704 (escaped piece by piece)


def _plain(text: str) -> str:
    for entity, sign in _ENTITIES:
        text = text.replace(entity, sign)
    return escape(text)


def _with_emoji(html: str) -> str:
    def sign(found: re.Match[str]) -> str:
        name = found[1]
        if name in _SIGNS:
            return f'<span class="sign {name}">{_SIGNS[name]}</span>'
        return f'<span class="dot" style="background:{_DOTS[name]}"></span>' if name in _DOTS else found[0]

    return _EMOJI.sub(sign, html)
