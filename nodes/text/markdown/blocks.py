"""markdown-it's rules for blocks as issues need them, and one more: for HTML comments and `<pre>`."""

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

_HIDING = (("<!--", "-->", "comment"), ("<pre", "</pre>", "pre"))
_AFTER_NAME = (" ", "\t", "\n", ">")


def _hiding(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """A block rule for the two kinds of HTML that matter here; markdown is read inside of all others."""
    begin = state.bMarks[first] + state.tShift[first]
    if state.src[begin : begin + 1] != "<" or state.is_code_block(first):
        return False
    sort = next((sort for sort in _HIDING if state.src.startswith(sort[0], begin)), None)
    if sort is None:
        return False
    opening, closing, kind = sort
    if kind == "pre" and state.src[begin + len(opening) : begin + len(opening) + 1] not in _AFTER_NAME:
        return False
    if silent:
        return True
    line, at = first, begin + len(opening)
    while closing not in state.src[at : state.eMarks[line]]:
        line += 1
        if line >= last or state.sCount[line] < state.blkIndent:
            break
        at = state.bMarks[line]
    state.line = min(line + 1, last)
    token = state.push(kind, "", 0)
    token.map = [first, state.line]
    token.content = state.getLines(first, state.line, state.blkIndent, True)
    return True


def _block_parser() -> MarkdownIt:
    found = MarkdownIt("commonmark").enable("table").disable(["html_block", "reference"])
    found.block.ruler.before("heading", "hiding", _hiding, {"alt": ["paragraph", "blockquote", "list"]})
    found.core.ruler.enableOnly(["block"])
    return found


BLOCKS = _block_parser()
"""Gives tokens of blocks, with "comment" and "pre" among them; what stands in their lines is not parsed."""
