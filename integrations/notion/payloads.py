"""Notion's shapes: markdown as blocks within its limits, and the few fields that are read of its answers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from models.errors import Transient

Block = dict[str, Any]

MAX_CHILDREN = 100
"""Blocks in one list of a request."""
MAX_TEXT = 2_000
"""Characters of one rich text, and of an address, counted as JavaScript does."""
MAX_PIECES = 100
"""Rich texts in one block."""
MAX_BYTES = 400_000
"""Of one request's blocks; Notion takes 500 kB in all."""
MAX_BLOCKS = 500
"""Of one page, nested ones too; Notion takes 1,000 in one request."""
MAX_MARKDOWN = 100_000
DEEPEST = 2
"""Levels of nesting in one request."""
LANGUAGES = frozenset(
    (
        "bash", "c", "c#", "c++", "clojure", "coffeescript", "css", "dart", "diff", "docker", "elixir", "elm",
        "erlang", "f#", "fortran", "go", "graphql", "groovy", "haskell", "hcl", "html", "java", "javascript",
        "json", "julia", "kotlin", "latex", "less", "lua", "makefile", "markdown", "matlab", "mermaid", "nix",
        "objective-c", "ocaml", "perl", "php", "powershell", "protobuf", "python", "r", "ruby", "rust", "sass",
        "scala", "scheme", "scss", "shell", "solidity", "sql", "swift", "toml", "typescript", "xml", "yaml",
    )
)  # fmt: skip
"""Those of Notion's that issues and documentation use."""
_OTHER_NAMES = {
    "console": "shell", "cpp": "c++", "cs": "c#", "csharp": "c#", "dockerfile": "docker", "golang": "go",
    "js": "javascript", "jsx": "javascript", "kt": "kotlin", "md": "markdown", "patch": "diff", "ps1": "powershell",
    "py": "python", "python3": "python", "rb": "ruby", "rs": "rust", "sh": "shell", "ts": "typescript",
    "tsx": "typescript", "yml": "yaml", "zsh": "shell",
}  # fmt: skip
_MARKS = {"strong": "bold", "em": "italic", "s": "strikethrough"}
_LISTS = {"bullet_list": "bulleted_list_item", "ordered_list": "numbered_list_item"}
_PARSER = MarkdownIt("commonmark", {"maxNesting": 20}).enable("strikethrough")


def blocks_of(markdown: str) -> list[Block]:
    """A page's blocks: headings, paragraphs, lists, to-dos, code, quotes, dividers; anything else as a paragraph.

    At most MAX_BLOCKS of them, each list within Notion's limits; what is left out is said at the end.
    """
    tree = SyntaxTreeNode(_PARSER.parse(markdown[:MAX_MARKDOWN]))
    kept: list[Block] = []
    size = 0
    cut = len(markdown) > MAX_MARKDOWN
    for block in _blocks(tree.children, 0):
        size += count([block])
        if size >= MAX_BLOCKS:
            cut = True
            break
        kept.append(block)
    return [*kept, _block("paragraph", [_text("The rest is left out.", italic=True)])] if cut else kept


def count(blocks: Sequence[Block]) -> int:
    """Blocks with all that are nested in them."""
    return sum(1 + count(block[block["type"]].get("children", ())) for block in blocks)


def in_requests(blocks: Sequence[Block]) -> list[list[Block]]:
    """The blocks of each request that is needed to write them all; one, and empty, where there are none."""
    groups: list[list[Block]] = [[]]
    size = 0
    for block in blocks:
        length = len(json.dumps(block, ensure_ascii=False).encode())
        if groups[-1] and (len(groups[-1]) == MAX_CHILDREN or size + length > MAX_BYTES):
            groups.append([])
            size = 0
        groups[-1].append(block)
        size += length
    return groups


def title_of(text: str) -> list[dict[str, Any]]:
    """A page's title."""
    return _pieces(text, {})[:1]


def read_page(data: Any) -> dict[str, Any]:
    """Id and address of a page; Transient where the answer has none, for the page may stand."""
    if not isinstance(data, Mapping) or not isinstance(data.get("id"), str):
        raise Transient("notion: the answer to a page has no id")
    return {"id": data["id"], "url": data.get("url")}


def read_results(data: Any) -> tuple[list[Mapping[str, Any]], str | None]:
    """The entries of one page of a list, and the cursor of the next."""
    if not isinstance(data, Mapping) or not isinstance(data.get("results"), list):
        raise Transient("notion: a list has no results")
    found = [entry for entry in data["results"] if isinstance(entry, Mapping)]
    cursor = data.get("next_cursor")
    return found, cursor if data.get("has_more") and isinstance(cursor, str) else None


def _blocks(nodes: Sequence[SyntaxTreeNode], depth: int) -> Iterator[Block]:
    for node in nodes:
        if node.type in _LISTS:
            for item in node.children:
                yield from _item(item, _LISTS[node.type], depth)
        elif node.type == "blockquote":
            yield from _quote(node, depth)
        elif node.type == "heading":
            yield from _texts(f"heading_{min(int(node.tag[1]), 3)}", node)
        elif node.type in ("fence", "code_block"):
            yield _code(node)
        elif node.type == "hr":
            yield {"object": "block", "type": "divider", "divider": {}}
        elif node.type == "paragraph":
            yield from _texts("paragraph", node)
        elif node.content.strip():
            yield from _split("paragraph", _pieces(node.content.strip(), {}))


def _item(node: SyntaxTreeNode, kind: str, depth: int) -> Iterator[Block]:
    """A list's item with what belongs to it; what lies too deep follows it on its own level."""
    head, rest = node.children[:1], node.children[1:]
    if head and head[0].type != "paragraph":
        head, rest = [], node.children
    pieces = _inline(head[0]) if head else []
    first = pieces[0]["text"]["content"] if pieces else ""
    extra: dict[str, Any] = {}
    if first[:4].lower() in ("[ ] ", "[x] "):
        kind, extra = "to_do", {"checked": first[1] in "xX"}
        pieces[0]["text"]["content"] = first[4:]
    made = list(_split(kind, pieces or _pieces(" ", {})))
    made[0][kind].update(extra)
    nested = list(_blocks(rest, depth + 1 if depth < DEEPEST else depth))
    if depth < DEEPEST and nested:
        made[-1][made[-1]["type"]]["children"] = nested[:MAX_CHILDREN]
        nested = nested[MAX_CHILDREN:]
    yield from made
    yield from nested


def _quote(node: SyntaxTreeNode, depth: int) -> Iterator[Block]:
    for child in node.children:
        if child.type == "paragraph":
            yield from _texts("quote", child)
        else:
            yield from _blocks([child], depth)


def _texts(kind: str, node: SyntaxTreeNode) -> Iterator[Block]:
    yield from _split(kind, _inline(node))


def _split(kind: str, pieces: list[dict[str, Any]]) -> Iterator[Block]:
    """One block; more, as paragraphs, where the text has too many pieces for one."""
    for start in range(0, len(pieces), MAX_PIECES):
        yield _block(kind if start == 0 else "paragraph", pieces[start : start + MAX_PIECES])


def _block(kind: str, pieces: list[dict[str, Any]], **more: Any) -> Block:
    return {"object": "block", "type": kind, kind: {"rich_text": pieces, **more}}


def _code(node: SyntaxTreeNode) -> Block:
    name = node.info.strip().split(" ")[0].lower() if node.info else ""
    name = _OTHER_NAMES.get(name, name)
    language = name if name in LANGUAGES else "plain text"
    return _block("code", _pieces(node.content.rstrip("\n"), {})[:MAX_PIECES], language=language)


def _inline(node: SyntaxTreeNode) -> list[dict[str, Any]]:
    pieces: list[dict[str, Any]] = []
    for child in node.children:
        _gather(child, {}, "", pieces)
    return pieces


def _gather(node: SyntaxTreeNode, marks: dict[str, bool], url: str, pieces: list[dict[str, Any]]) -> None:
    if node.type in ("softbreak", "hardbreak"):
        pieces.extend(_pieces("\n", marks, url))
    elif node.type == "code_inline":
        pieces.extend(_pieces(node.content, {**marks, "code": True}, url))
    elif node.type == "image":
        source = str(node.attrs.get("src", ""))
        pieces.extend(_pieces(node.content or source, marks, _address(source) or url))
    elif node.children:
        if node.type == "link":
            url = _address(str(node.attrs.get("href", "")))
        if node.type in _MARKS:
            marks = {**marks, _MARKS[node.type]: True}
        for child in node.children:
            _gather(child, marks, url, pieces)
    else:
        pieces.extend(_pieces(node.content, marks, url))


def _address(url: str) -> str:
    """An address that may be followed; empty where it is no address of the web, or is too long."""
    return url if url.lower().startswith(("http://", "https://")) and length(url) <= MAX_TEXT else ""


def length(text: str) -> int:
    """Characters as JavaScript counts them: two for those beyond the basic plane."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "replace")) // 2


def _pieces(text: str, marks: Mapping[str, bool], url: str = "") -> list[dict[str, Any]]:
    step = MAX_TEXT if length(text) == len(text) else MAX_TEXT // 2
    return [_text(text[at : at + step], url, **marks) for at in range(0, len(text), step)]


def _text(content: str, url: str = "", **marks: bool) -> dict[str, Any]:
    text: dict[str, Any] = {"content": content, **({"link": {"url": url}} if url else {})}
    return {"type": "text", "text": text, **({"annotations": marks} if marks else {})}
