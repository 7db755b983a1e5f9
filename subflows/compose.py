"""From plain data, as YAML gives it, to sub-flows and back; every mistake is told with its place."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import nodes
from models.case import ROUTES
from models.errors import plain
from nodes.base import Node
from nodes.call_api import Operation
from nodes.text.flow.expression import check, nearest
from subflows import SUBFLOWS
from subflows.base import Parallel, Subflow
from subflows.steps import MOST_RETRIES, MOST_ROUNDS, Action, OnError, Repeat, Step, within
from subflows.triage import TRIAGE, ByRoute

Declared = Mapping[str, Mapping[str, Operation]]
"""The operations of each service that the configuration declares, by name."""
Place = tuple[str | int, ...]
BUILT_IN: dict[str, Subflow] = {**SUBFLOWS, "triage": TRIAGE}
KINDS = ("node", "parallel", "subflow", "repeat")
KEYS = {"node": ("node", "with", "when", "on_error")} | {
    kind: (kind, "when", "on_error") for kind in KINDS[1:]
}
SIMPLE: tuple[Action, ...] = ("skip", "escalate", "undo")
BY_ROUTE, ROUTE_ISSUE = "by_route", "route_issue"
BEFORE_ROUTE = (
    "analyze_sentiment",
    "analyze_code",
    "assess_impact",
    "detect_injection",
    "parse_stack_trace",
    "transform",
    "aggregate",
    "write_section",
    "call_api",
)
"""Built-in nodes that tell nobody anything of an issue that may be a security report; `call_api` only where it is told
to."""


class FlowError(ValueError):
    """A mistake in a flow; `place` leads to it from `subflows` on."""

    def __init__(self, place: Place, words: str) -> None:
        super().__init__(words)
        self.place = place

    @property
    def path(self) -> str:
        """The place as people write it: bug[2].with.weight."""
        return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in self.place).removeprefix(".")


def compose(configured: Mapping[str, Any], declared: Declared | None = None) -> dict[str, Subflow]:
    """All flows by name, the built-in ones and what is configured in their place or beside them; FlowError."""
    reading = _Reading(configured, declared or {})
    reading.names()
    flows: dict[str, Subflow] = {name: reading.flow(name, (name,)) for name in ROUTES}
    reading.flows_by_route = flows
    triage = reading.flow("triage", ("triage",))
    _check_triage(triage)
    found = {name: reading.flow(name, (name,)) for name in configured}
    for name in found:
        if name not in BUILT_IN and name not in reading.used:
            near = nearest(name, BUILT_IN)
            words = f" ({near})" if near.startswith("did you mean") else ""
            raise FlowError(
                (name,), f"is used nowhere; name it in another flow as {{subflow: {name}}}{words}"
            )
    return {**flows, "triage": triage, **found}


@dataclass
class _Reading:
    """The reading of one configuration."""

    configured: Mapping[str, Any]
    declared: Declared
    flows_by_route: Mapping[str, Subflow] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    _done: dict[str, Subflow] = field(default_factory=dict)
    _under_way: list[str] = field(default_factory=list)

    def names(self) -> None:
        """FlowError where a flow's name is none."""
        for name in self.configured:
            if not (isinstance(name, str) and name.isascii() and name.isidentifier() and len(name) <= 60):
                raise FlowError((str(name)[:60],), "is no name for a flow; write letters, digits and _")
            if name in nodes.NODES or name == BY_ROUTE:
                raise FlowError((name,), "is the name of a node; choose another for the flow")

    def flow(self, name: str, place: Place) -> Subflow:
        """The flow of this name."""
        if name not in self.configured:
            if name not in BUILT_IN:
                known = {*self.configured, *BUILT_IN}
                raise FlowError(place, f"there is no flow {name!r}; {nearest(name, known)}")
            built_in = BUILT_IN[name]
            if name == "triage" and self.flows_by_route:
                return _with_flows(built_in, self.flows_by_route)
            return built_in
        if name in self._under_way:
            circle = " → ".join([*self._under_way[self._under_way.index(name) :], name])
            raise FlowError(place, f"goes in a circle: {circle}")
        if name not in self._done:
            self._under_way.append(name)
            steps = self._flow_steps(name, self.configured[name])
            self._done[name] = Subflow(name=name, steps=steps)
            self._under_way.pop()
        return self._done[name]

    def _flow_steps(self, name: str, given: Any) -> tuple[Node, ...]:
        if not isinstance(given, Mapping):
            return self._steps(given, (name,))
        _known_keys(given, ("extends", "before", "after"), (name,))
        base = given.get("extends")
        if not isinstance(base, str):
            raise FlowError((name, "extends"), "must name the flow that this one goes on from")
        if base == "triage" != name:
            raise FlowError(
                (name, "extends"), "triage is the whole run of an issue; only itself goes on from it"
            )
        # What extends itself extends the built-in one, which has no other name.
        if base == name and name in BUILT_IN:
            known = self.flows_by_route if name == "triage" else {}
            steps = (_with_flows(BUILT_IN[name], known) if known else BUILT_IN[name]).steps
        else:
            self.used.add(base)
            steps = self.flow(base, (name, "extends")).steps
        if len(given) == 1:
            raise FlowError((name,), "needs `before` or `after`: which steps are added where")
        for key, offset in (("before", 0), ("after", 1)):
            added = given.get(key, {})
            if not isinstance(added, Mapping):
                raise FlowError((name, key), "must hold names of steps, each with the steps to add")
            for at, more in added.items():
                here = (name, key, str(at))
                found = [n for n, step in enumerate(steps) if _word(step) == at]
                if len(found) != 1:
                    words = "no such step" if not found else "such a step more than once"
                    raise FlowError(
                        here, f"{base} has {words}; {nearest(str(at), {_word(s) for s in steps})}"
                    )
                cut = found[0] + offset
                steps = (*steps[:cut], *self._steps(more, here), *steps[cut:])
        return steps

    def _steps(self, given: Any, place: Place) -> tuple[Node, ...]:
        if not isinstance(given, Sequence) or isinstance(given, str):
            raise FlowError(place, "must be a list of steps")
        if not given:
            raise FlowError(place, "has no step")
        return tuple(self._step(one, (*place, number)) for number, one in enumerate(given))

    def _step(self, given: Any, place: Place) -> Node:
        if isinstance(given, str):
            return self._node(given, {}, place)
        if not isinstance(given, Mapping):
            raise FlowError(place, f"must be a step: a node's name, or a mapping with {' or '.join(KINDS)}")
        kinds = [kind for kind in KINDS if kind in given]
        if len(kinds) != 1:
            if unknown := [str(key) for key in given if key not in (*KINDS, *KEYS["node"])]:
                raise FlowError(
                    (*place, unknown[0]), f"unknown key; {nearest(unknown[0], (*KINDS, *KEYS['node']))}"
                )
            raise FlowError(place, f"must have exactly one of {', '.join(KINDS)}")
        kind = kinds[0]
        _known_keys(given, KEYS[kind], place)
        made = self._made(kind, given, place)
        when = given.get("when", "")
        if "when" in given:
            _expression(when, (*place, "when"))
        on_error = self._on_error(given["on_error"], (*place, "on_error")) if "on_error" in given else None
        return Step(step=made, when=when, on_error=on_error) if when or on_error else made

    def _made(self, kind: str, given: Mapping[str, Any], place: Place) -> Node:
        value, here = given[kind], (*place, kind)
        if kind == "parallel":
            return Parallel(*self._steps(value, here))
        if kind == "repeat":
            return self._repeat(value, here)
        if not isinstance(value, str):
            raise FlowError(here, "must be a name")
        if kind == "subflow":
            if value == "triage":
                raise FlowError(here, "triage is the whole run of an issue; no flow can be a part of itself")
            self.used.add(value)
            return self.flow(value, here)
        return self._node(value, given.get("with", {}), place)

    def _repeat(self, given: Any, place: Place) -> Node:
        if not isinstance(given, Mapping):
            raise FlowError(place, "must hold until, at_most and steps")
        _known_keys(given, ("until", "at_most", "steps"), place)
        for key in ("until", "at_most", "steps"):
            if key not in given:
                raise FlowError((*place, key), "is missing")
        _expression(given["until"], (*place, "until"))
        return Repeat(
            until=given["until"],
            at_most=_count(given["at_most"], MOST_ROUNDS, (*place, "at_most")),
            steps=self._steps(given["steps"], (*place, "steps")),
        )

    def _on_error(self, given: Any, place: Place) -> OnError:
        for action in SIMPLE:
            if given == action:
                return OnError(action=action)
        if isinstance(given, Mapping) and set(given) == {"retry"}:
            return OnError(action="retry", times=_count(given["retry"], MOST_RETRIES, (*place, "retry")))
        if isinstance(given, Mapping) and set(given) == {"use"}:
            return OnError(action="use", use=self._step(given["use"], (*place, "use")))
        raise FlowError(place, f"must be {', '.join(SIMPLE)}, {{retry: 2}} or {{use: STEP}}")

    def _node(self, name: str, given: Any, place: Place) -> Node:
        if name == BY_ROUTE:
            if self._under_way[-1:] != ["triage"]:
                raise FlowError(place, "by_route is a step of triage only")
            return ByRoute(self.flows_by_route)
        if name == ROUTE_ISSUE and self._under_way[-1:] != ["triage"]:
            raise FlowError(place, "route_issue is a step of triage only")
        try:
            found = nodes.find(name)
        except ValueError as error:
            raise FlowError(place, str(error)) from None
        if found is None:
            hint = (
                f"; for the flow write {{subflow: {name}}}" if name in {*self.configured, *BUILT_IN} else ""
            )
            raise FlowError(place, f"there is no node {name!r}{hint or '; ' + nearest(name, nodes.names())}")
        return self._with(found, given, place)

    def _with(self, found: type, given: Any, place: Place) -> Node:
        from pydantic import TypeAdapter, ValidationError
        from pydantic.errors import PydanticUserError

        here = (*place, "with")
        known = [spec.name for spec in dataclasses.fields(found) if spec.init]
        if not isinstance(given, Mapping):
            raise FlowError(here, "must hold parameters")
        for key in given:
            if key not in known:
                has = nearest(str(key), known) if known else f"{nodes.name_of(found)} has none"
                raise FlowError((*here, str(key)), f"unknown parameter; {has}")
        try:
            made: Node = TypeAdapter(found).validate_python(dict(given))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = (*here, *(str(part) for part in first["loc"][:1]))
            words = plain(first["type"], first["msg"])
            if first["type"] in ("missing", "missing_argument"):
                raise FlowError(where, words) from None
            shown = repr(str(first["input"])[:60])
            raise FlowError(where, f"{words[:1].lower()}{words[1:]} (given: {shown})") from None
        except PydanticUserError as error:
            raise FlowError(
                here, f"its parameters cannot be read ({str(error).splitlines()[0][:120]})"
            ) from None
        look = getattr(made, "problems", None)
        for parameter, words in look(self.declared) if look else ():
            raise FlowError((*here, *parameter.split(".")), words)
        return made


def _known_keys(given: Mapping[str, Any], known: Sequence[str], place: Place) -> None:
    for key in given:
        if key not in known:
            raise FlowError((*place, str(key)), f"unknown key; {nearest(str(key), known)}")


def _expression(given: Any, place: Place) -> None:
    try:
        check(given)
    except ValueError as error:
        raise FlowError(place, str(error)) from None


def _count(given: Any, most: int, place: Place) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= most:
        raise FlowError(place, f"must be a whole number from 1 to {most}")
    return given


def _with_flows(triage: Subflow, flows: Mapping[str, Subflow]) -> Subflow:
    """Triage with these flows by route."""
    steps = tuple(ByRoute(flows) if isinstance(step, ByRoute) else step for step in triage.steps)
    return replace(triage, steps=steps)


def _check_triage(triage: Subflow) -> None:
    """Every issue is screened and routed once, and then goes its way; nothing else would keep reports private."""
    words = [_word(step) for step in triage.steps]
    everything = [type(node) for step in triage.steps for node in _all(step)]
    for name, node in ((ROUTE_ISSUE, nodes.NODES[ROUTE_ISSUE]), (BY_ROUTE, ByRoute)):
        plain = [step for step in triage.steps if isinstance(step, node)]
        if len(plain) != 1 or everything.count(node) != 1:
            raise FlowError(("triage",), f"needs {name} once, as a step of its own without when or on_error")
    if words.index(ROUTE_ISSUE) > words.index(BY_ROUTE):
        raise FlowError(("triage",), f"needs {ROUTE_ISSUE} before {BY_ROUTE}")
    for number, step in enumerate(triage.steps[: words.index(ROUTE_ISSUE)]):
        for part in _all(step):
            is_ours = type(part).__module__.startswith("nodes.")
            name = nodes.name_of(type(part)) if is_ours else ""
            if name and name not in BEFORE_ROUTE:
                words_ = f"{name} belongs behind {ROUTE_ISSUE}: before it, nobody knows who may be told of the issue"
                raise FlowError(("triage", number), words_)
    for number, step in enumerate(triage.steps):
        for part in () if isinstance(step, ByRoute) else _all(step):
            if isinstance(part, Step) and part.on_error and part.on_error.action in ("escalate", "undo"):
                words_ = f"{part.on_error.action} belongs into a flow that {BY_ROUTE} leads to; here skip, retry or use"
                raise FlowError(("triage", number), words_)


def _all(node: Node) -> Iterator[Node]:
    yield node
    for part in within(node):
        yield from _all(part)


def _word(step: Node) -> str:
    """The name of the node or flow that a step is, beneath its condition and recovery."""
    while isinstance(step, Step):
        step = step.step
    if isinstance(step, Subflow):
        return step.name
    return "" if isinstance(step, Parallel | Repeat) else nodes.name_of(type(step))


def data_of(flow: Subflow) -> list[Any]:
    """The flow's steps as the plain data that `compose` takes."""
    return [_data(step) for step in flow.steps]


def _data(step: Node) -> Any:
    if isinstance(step, Step):
        inner = _data(step.step)
        made = {"node": inner} if isinstance(inner, str) else dict(inner)
        if step.when:
            made["when"] = step.when
        if step.on_error:
            made["on_error"] = _recovery(step.on_error)
        return made
    if isinstance(step, Parallel):
        return {"parallel": [_data(one) for one in step.steps]}
    if isinstance(step, Subflow):
        return {"subflow": step.name}
    if isinstance(step, Repeat):
        steps = [_data(one) for one in step.steps]
        return {"repeat": {"until": step.until, "at_most": step.at_most, "steps": steps}}
    name, given = nodes.name_of(type(step)), parameters(step)
    return {"node": name, "with": given} if given else name


def _recovery(on_error: OnError) -> Any:
    if on_error.action == "retry":
        return {"retry": on_error.times}
    return {"use": _data(on_error.use)} if on_error.use is not None else on_error.action


def parameters(node: Node) -> dict[str, Any]:
    """A node's parameters that are not what they are by themselves."""
    if isinstance(node, ByRoute) or not dataclasses.is_dataclass(node):
        return {}
    given = {}
    for spec in dataclasses.fields(node):
        value = getattr(node, spec.name)
        default = spec.default_factory() if spec.default_factory is not dataclasses.MISSING else spec.default
        if spec.init and value != default:
            given[spec.name] = list(value) if isinstance(value, tuple | frozenset) else value
    return given
