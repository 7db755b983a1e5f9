"""Calls an operation that the configuration declares of a service: reads now, or wishes for what writes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from models.asks import CallService
from models.case import Case
from models.commands import call_service
from nodes.base import Context
from nodes.text.flow.expression import nearest, view
from nodes.text.flow.template import check_value, fill
from nodes.transform import keep, wrong_name


@dataclass(frozen=True, slots=True)
class Operation:
    """What is declared of an operation, as far as a flow must know it."""

    reads: bool
    fields: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class CallApi:
    """`fields` fill the operation's own: a string with {{ is a template, any other an expression over the case.

    With `into` it reads, and the answer becomes `data.<into>`; without, it writes, once for an issue and `name`.
    Where a field comes out as null nothing is called; `required` makes that a failure, as a missing answer.
    For security reports, and before the issue is routed, it calls nothing unless `security` allows it.
    """

    service: str
    operation: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    into: str = ""
    name: str = ""
    required: bool = False
    security: bool = False

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        if (case.decision is None or case.route == "security") and not self.security:
            return case
        if self.service not in ctx.policy.services:
            return self._without(case, f"{self.service} is off")
        seen = view(case)
        values = {name: fill(value, seen) for name, value in self.fields.items()}
        if missing := sorted(name for name, value in values.items() if value is None):
            return self._without(case, f"nothing to fill {', '.join(missing)} with", quietly=True)
        if not self.into:
            wish = call_service(case.issue.ref, self.service, self.operation, values, name=self.name)
            others = tuple(command for command in case.commands if command.key != wish.key)
            return replace(case, commands=(*others, wish))
        answer = await ctx.ask(CallService(self.service, self.operation, json.dumps(values, sort_keys=True)))
        if answer is None:
            return self._without(case, "no answer", quietly=True)
        return keep(case, self.into, answer)

    def _without(self, case: Case, why: str, *, quietly: bool = False) -> Case:
        words = f"{self.service}.{self.operation}: {why}"
        if self.required:
            raise ValueError(words)
        return case if quietly else replace(case, notes=(*case.notes, words))

    def problems(self, declared: Mapping[str, Mapping[str, Operation]]) -> Iterator[tuple[str, str]]:
        """Parameters that cannot be meant, each with what is wrong."""
        if self.service not in declared:
            known = nearest(self.service, declared) if declared else "integrations.services declares none"
            yield "service", f"there is no service {self.service!r}; {known}"
            return
        operations = declared[self.service]
        if self.operation not in operations:
            words = f"{self.service} has no operation {self.operation!r}"
            yield "operation", f"{words}; {nearest(self.operation, operations)}"
            return
        yield from self._wrong_fields(operations[self.operation])

    def _wrong_fields(self, operation: Operation) -> Iterator[tuple[str, str]]:
        if missing := sorted(operation.fields - set(self.fields)):
            yield "fields", f"{self.operation} needs {', '.join(missing)}"
        for name, value in self.fields.items():
            if name not in operation.fields:
                known = nearest(name, operation.fields) if operation.fields else "it has none"
                yield f"fields.{name}", f"{self.operation} has no such field; {known}"
            try:
                check_value(value)
            except ValueError as error:
                yield f"fields.{name}", str(error)
        if operation.reads:
            if not self.into:
                yield "into", f"is missing: {self.operation} reads, so say where its answer goes"
            else:
                yield from wrong_name("into", self.into)
        elif self.into:
            yield "into", f"{self.operation} writes, later and elsewhere: there is no answer to keep"
        if self.name:
            yield from wrong_name("name", self.name)
