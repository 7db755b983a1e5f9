"""Names the hashed columns of one text in that text's own words; the model itself holds none."""

from models.router import features
from models.router.text import Text

_TOKENS = {
    "HASCODE": "a code block",
    "HASTRACE": "a stack trace in a code block",
    "INLINE": "inline code",
    "IMAGE": "an image",
    "LINK": "a link",
    "DOCLINK": "a link to documentation",
    "CHECKED": "a ticked box",
    "UNCHECKED": "an empty box",
    "VERSION": "a version number",
    "HEX": "a hexadecimal number",
    "REF": "a reference to an issue",
    "NUM": "a number",
}


def name_columns(text: Text) -> dict[int, str]:
    """Column to what stands there in this text, in plain words; groups of letters have no name."""
    prepared = features.prepare(text)
    named: dict[int, str] = {
        features.SIGNS_START + index: f"sign: {name}" for index, name in enumerate(features.SIGNS)
    }
    views = (
        (prepared.title, features.TITLE, "title: "),
        (prepared.clean, features.MEANING, ""),
        (prepared.head, features.BEGINNING, ""),
        (prepared.raw, features.TEXT, ""),
    )
    for words, view, prefix in views:
        hashes = features.hashes(words)
        spoken = [_spoken(word) for word in words]
        for column, word in zip(features.single_columns(hashes, view).tolist(), spoken, strict=True):
            named.setdefault(column + view.start, f"{prefix}{word}")
        if len(words) > 1:
            pairs = features.pair_columns(hashes, view).tolist()
            for column, one, two in zip(pairs, spoken, spoken[1:], strict=False):
                named.setdefault(column + view.start, f"{prefix}{one} {two}")
    return named


def _spoken(word: str) -> str:
    if word in _TOKENS:
        return f"[{_TOKENS[word]}]"
    if word.startswith("HEAD_"):
        return f"[heading {word[5:].replace('_', ' ')}]"
    return word[:60]
