"""Templates of a team's own flows: Jinja2 in its sandbox, over what expressions see, strict about what is missing."""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from models.text.escape import clean, inline, one_line
from nodes.text.flow.expression import VIEWED, check, evaluate, nearest

MARK = "{{"
LONGEST = 8_000
"""Characters of a template."""
FILLED = 20_000
"""Characters of what a template or an expression gives as text; the rest is cut off."""
LARGEST = 10**15
"""Of a number that a template multiplies or raises to a power with: what it repeats could fill the memory."""
_NAMES = (*VIEWED, "route")


def check_template(template: Any) -> None:
    """ValueError says what is wrong: no template, or a name that no case has."""
    from jinja2 import TemplateError, meta

    if not isinstance(template, str) or not template.strip():
        raise ValueError("must be a template, like {{ issue.title }}")
    if len(template) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    try:
        environment = _environment()
        free = meta.find_undeclared_variables(environment.parse(template)) - set(environment.globals)
        environment.compile(template)
    except TemplateError as error:
        raise ValueError(f"is no template ({' '.join(str(error).split())[:160]})") from None
    for name in sorted(free):
        if name not in _NAMES:
            raise ValueError(f"there is no {name!r}; {nearest(name, _NAMES)}")


def render(template: str, seen: Mapping[str, Any]) -> str | None:
    """The filled template as plain text; None where something that it shows is not there."""
    return _filled(template, seen, str)


def render_markdown(template: str, seen: Mapping[str, Any]) -> str | None:
    """The filled template; what it shows of the case is escaped, so that only the template itself is markdown."""
    return _filled(template, seen, _escaped)


def check_value(value: Any) -> None:
    """ValueError where a field's value is no template, no expression and no plain JSON."""
    if isinstance(value, str):
        (check_template if MARK in value else check)(value)
        return
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError("is no plain JSON; put it in quotes within quotes") from None


def fill(value: Any, seen: Mapping[str, Any]) -> Any:
    """A field's value for a case: of a template its text, of any other string what it gives as an expression."""
    if not isinstance(value, str):
        return value
    found = render(value, seen) if MARK in value else evaluate(value, seen)
    return clean(found)[:FILLED] if isinstance(found, str) else found


def _escaped(value: Any) -> str:
    return inline(clean(str(value)[:FILLED]), 1_000)


def _filled(template: str, seen: Mapping[str, Any], shown: Callable[[Any], str]) -> str | None:
    from jinja2 import TemplateError

    try:
        # The sandbox refuses attributes that lead elsewhere, and ranges that are too long.
        return str(_compiled(template, shown).render(seen))[:FILLED]
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError):
        return None


@lru_cache(maxsize=256)
def _compiled(template: str, shown: Callable[[Any], str]) -> Any:
    from jinja2 import StrictUndefined, Undefined

    def finalize(value: Any) -> Any:
        if value is None:
            raise ValueError("nothing is there")
        # An undefined value complains by itself where it is written out.
        return value if isinstance(value, Undefined) else shown(value)

    return _environment(undefined=StrictUndefined, finalize=finalize).from_string(template)


def _environment(**options: Any) -> Any:
    """Jinja2's sandbox, in which no product is larger than what a section could show."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Bounded(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset(("*", "**", "%"))

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if not _is_small(operator, left, right):
                raise ValueError("more than a template may make")
            return super().call_binop(context, operator, left, right)

    return Bounded(**options)


def _is_small(operator: str, left: Any, right: Any) -> bool:
    """Does what comes out stay of a size that a section could show?"""
    numbers = [one for one in (left, right) if isinstance(one, int | float)]
    if operator == "**":
        return len(numbers) == 2 and abs(left) <= LARGEST and abs(right) <= 20
    if len(numbers) == 2:
        return all(abs(one) <= LARGEST**20 for one in numbers)
    if operator == "%":
        # Formatting: a width may stand in the text.
        return not isinstance(left, str)
    other = right if numbers and numbers[0] is left else left
    size = len(other) if isinstance(other, str | list | tuple) else FILLED
    return bool(numbers) and size * numbers[0] <= FILLED


def title_of(text: str) -> str:
    """A section's title on one line."""
    return one_line(clean(text), 100)
