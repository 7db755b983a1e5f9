"""Finds token-shaped strings and takes them out of text before anything else sees it."""

import re
from typing import NamedTuple


class Kind(NamedTuple):
    """One kind of secret: cheap substrings that must occur, and the pattern; its group 1, if any, stays."""

    name: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]


# Every quantifier is bounded and every pattern starts where a token starts, so that no text takes more than
# linear time. Shapes: the vendors' own secret-scanning pages.
KINDS = (
    Kind(
        "private key",
        ("PRIVATE KEY-----",),
        re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,8000}(?:-----END [A-Z ]{0,40}-----)?"),
    ),
    Kind("GitHub token", ("github_pat_",), re.compile(r"(?<!\w)github_pat_\w{20,255}")),
    Kind(
        "GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        # An installation's token may carry a JSON web token.
        re.compile(r"(?<!\w)gh[pousr]_\w{20,255}(?:\.[\w-]{10,2000}){0,2}"),
    ),
    Kind("GitLab token", ("glpat-",), re.compile(r"(?<![\w-])glpat-[\w-]{16,100}")),
    Kind("AWS access key", ("AKIA", "ASIA"), re.compile(r"(?<!\w)(?:AKIA|ASIA)[A-Z0-9]{16}(?!\w)")),
    Kind("Slack token", ("xox",), re.compile(r"(?<![\w-])xox[abeoprs]-[\w-]{10,250}")),
    Kind("Slack token", ("xapp-",), re.compile(r"(?<![\w-])xapp-[\w-]{10,250}")),
    Kind("signing secret", ("whsec_",), re.compile(r"(?<!\w)whsec_[\w+/-]{20,200}={0,2}")),
    Kind(
        "Slack webhook address",
        ("hooks.slack.com/services/",),
        re.compile(r"hooks\.slack\.com/services/[\w/]{10,200}"),
    ),
    Kind("Google API key", ("AIza",), re.compile(r"(?<!\w)AIza[\w-]{30,45}")),
    Kind("Stripe key", ("k_live_", "k_test_"), re.compile(r"(?<!\w)[sr]k_(?:live|test)_\w{10,120}")),
    Kind("API key", ("sk-",), re.compile(r"(?<![\w-])sk-(?=[\w-]{0,60}\d)[\w-]{20,200}")),
    Kind("npm token", ("npm_",), re.compile(r"(?<!\w)npm_[A-Za-z0-9]{30,60}")),
    Kind("PyPI token", ("pypi-",), re.compile(r"(?<![\w-])pypi-Ag[\w-]{30,300}")),
    Kind("Hugging Face token", ("hf_",), re.compile(r"(?<!\w)hf_[A-Za-z0-9]{30,60}")),
    Kind("SendGrid key", ("SG.",), re.compile(r"(?<![\w.-])SG\.[\w-]{16,80}\.[\w-]{16,80}")),
    Kind(
        "JSON web token",
        ("eyJ",),
        re.compile(r"(?<![\w.-])eyJ[\w-]{8,2000}\.[\w-]{8,4000}\.[\w-]{8,2000}"),
    ),
    Kind(
        "password in an address",
        ("://",),
        re.compile(r"(?<=://)()[^\s/:@\[\]()]{1,100}:[^\s/:@\[\]()]{1,100}(?=@\w)"),
    ),
    Kind("bearer token", ("earer ",), re.compile(r"(?<!\w)([Bb]earer )[\w.~+/-]{20,2000}=*")),
    Kind(
        "credential",
        ("assw", "ASSW", "ecret", "SECRET", "oken", "TOKEN", "ey", "KEY"),
        # Spelled out instead of (?i): the engine can then skip to the few letters it may begin with.
        re.compile(
            r"((?:[Pp]assw(?:or)?d|PASSWORD|[Ss]ecret(?:[_-]?[Kk]ey)?|SECRET(?:_KEY)?|[Tt]oken|TOKEN"
            r"|[Aa]pi[_-]?[Kk]ey|API[_-]?KEY|[Aa]ccess[_-]?[Kk]ey"
            r"|ACCESS[_-]?KEY)[\"']?\s{0,3}[:=]\s{0,3}[\"']?)"
            r"(?=[\w+/=-]{0,40}\d)(?=[\w+/=-]{0,40}[A-Za-z])[\w+/=-]{16,200}"
        ),
    ),
)


def redact(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with every secret replaced by its kind, and the kinds found, each once."""
    found: list[str] = []
    for kind in KINDS:
        if not any(hint in text for hint in kind.hints):
            continue
        kept = r"\1" if kind.pattern.groups else ""
        replacement = f"{kept}[redacted: {kind.name}]"
        text, count = kind.pattern.subn(replacement, text)
        if count and kind.name not in found:
            found.append(kind.name)
    return text, tuple(found)
