"""Finds what the text shows of code: languages, errors, files, versions, commands, packages, a trace, steps."""

import re
from dataclasses import dataclass, replace

from models.case import Case, CodeSigns
from models.issue import Issue
from models.text.escape import headline
from nodes.base import Context
from nodes.text.extract.facts import error_lines, paths_in, systems_in, versions_in
from nodes.text.extract.installs import commands_in, packages_in
from nodes.text.extract.languages import guess_language, language_of_info, language_of_path
from nodes.text.markdown.markdown import Scan, part_like, scan
from nodes.text.traces import parse, project_name

_STEPS_HEADING = re.compile(r"(?i)\b(?:steps|repro|reproduc\w{1,6}|how to reproduce)\b")
_STEPS_TEXT = re.compile(r"(?:steps to repro|to reproduce|reproduction steps|minimal (?:repro|example))")
_NUMBERED = re.compile(r"(?m)^\s{0,8}[1-9][.)]\s+\S")
_PLAYGROUND = re.compile(
    r"codesandbox\.io|stackblitz\.com|jsfiddle\.net|codepen\.io|gist\.github\.com|repl\.it|replit\.com"
    r"|colab\.research\.google|play\.rust-lang|go\.dev/play|play\.golang|jsbin\.com|plnkr\.co|godbolt\.org"
)
_MARKUP_LANGUAGES = ("JSON", "HTML", "Shell")


@dataclass(frozen=True)
class AnalyzeCode:
    """At most `limit` items of a kind are kept."""

    limit: int = 12

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        return replace(case, code=self.read(case.issue, scan(case.issue.body)))

    def read(self, issue: Issue, found: Scan) -> CodeSigns:
        """The signs in one text."""
        text = f"{headline(issue.title, 500)}\n{found.text}"
        paths = paths_in(text, found.links, self.limit)
        code_length = found.code_length
        commands = commands_in(found, self.limit)
        packages = packages_in(found, commands, self.limit)
        return CodeSigns(
            blocks=len(found.blocks),
            share=round(code_length / max(1, len(found.text)), 2),
            languages=_languages(found, paths)[:5],
            errors=error_lines(text, self.limit),
            paths=paths,
            versions=versions_in(text, self.limit),
            systems=systems_in(text, self.limit),
            commands=commands,
            packages=tuple(packages),
            evidence=packages,
            has_trace=parse(found.text, project_name(issue.repo)) is not None,
            has_steps=_has_steps(found),
        )


def _languages(found: Scan, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Languages by weight: what fences name counts most, then signs in blocks, then file endings."""
    weights: dict[str, int] = {}
    for block in found.blocks[:20]:
        named = language_of_info(block.info)
        language = named or (guess_language(block.text) if block.info in ("", "text", "txt") else "")
        if language:
            weight = 3 if named else 2
            weights[language] = weights.get(language, 0) + (1 if language in _MARKUP_LANGUAGES else weight)
    for path in paths:
        if (language := language_of_path(path)) and language not in ("JSON", "YAML", "XML", "TOML"):
            weights[language] = weights.get(language, 0) + 1
    return tuple(sorted(weights, key=lambda name: -weights[name]))


def _has_steps(found: Scan) -> bool:
    if part := part_like(found, _STEPS_HEADING):
        return len(part.text) >= 15
    if _STEPS_TEXT.search(found.lowered) or any(_PLAYGROUND.search(url) for _, url in found.links):
        return True
    return len(_NUMBERED.findall(found.prose, 0, 20_000)) >= 2
