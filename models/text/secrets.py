"""Finds token-shaped strings and takes them out of text before anything else sees it."""

import re
from typing import NamedTuple


class Kind(NamedTuple):
    """One kind of secret: cheap substrings that must occur, and the pattern; its group 1, if any, stays."""

    name: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]


_PLACEHOLDER = (
    r"(?:(?:my|your|the)?[_-]?(?:pass(?:w(?:or)?d)?|pwd|secret|token|key)\d{0,3}|changeme|guest|admin|root|user(?:name)?"
    r"|postgres|example|x{2,40}|\*{1,40}|\.{2,10}|[<${%][^\s@]{0,60})"
)
"""What stands for a password in documentation, and is none."""

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
    Kind(
        "Azure key",
        ("AccountKey=", "SharedAccessKey="),
        re.compile(r"(?<!\w)((?:Account|SharedAccess)Key=)[\w+/]{40,100}={0,2}"),
    ),
    Kind("Azure signature", ("sig=",), re.compile(r"([?&]sig=)[\w%+/-]{40,120}={0,2}")),
    Kind("Azure client secret", ("8Q~",), re.compile(r"(?<![\w~.-])[\w~.-]{3}8Q~[\w~.-]{31,34}")),
    Kind("Google client secret", ("GOCSPX-",), re.compile(r"(?<!\w)GOCSPX-[\w-]{20,40}")),
    Kind("Google access token", ("ya29.",), re.compile(r"(?<!\w)ya29\.[\w.-]{30,500}")),
    Kind("DigitalOcean token", ("_v1_",), re.compile(r"(?<!\w)do[opr]_v1_[a-f0-9]{64}")),
    Kind("Shopify token", ("shp",), re.compile(r"(?<!\w)shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}")),
    Kind("Docker token", ("dckr_pat_",), re.compile(r"(?<!\w)dckr_pat_[\w-]{20,60}")),
    Kind("Vault token", ("hvs.",), re.compile(r"(?<!\w)hvs\.[\w-]{24,200}")),
    Kind("Notion token", ("ntn_",), re.compile(r"(?<!\w)ntn_[A-Za-z0-9]{40,60}")),
    Kind("Mailgun key", ("key-",), re.compile(r"(?<![\w-])key-[0-9a-f]{32}(?!\w)")),
    Kind("Telegram token", (":AA",), re.compile(r"(?<!\d)\d{8,10}:AA[\w-]{33}(?![\w-])")),
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
        re.compile(r"(?<=://)()[^\s/:@\[\]()]{1,100}:(?!" + _PLACEHOLDER + r"@)[^\s/:@\[\]()]{1,100}(?=@\w)"),
    ),
    Kind("basic credential", ("asic ",), re.compile(r"(?<=uthorization: )([Bb]asic )[\w+/]{8,500}={0,2}")),
    Kind(
        "npm credential",
        ("_auth",),
        re.compile(r"(?<!\w)(_auth(?:Token)?\s?=\s?[\"']?)[\w+/-]{16,500}={0,2}"),
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
