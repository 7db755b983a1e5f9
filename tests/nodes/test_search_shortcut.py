"""When Shortcut's own search is asked, and what is made of its answer."""

from dataclasses import replace

import pytest

from models.asks import SearchStories
from nodes.search_shortcut import SearchShortcut
from tests.nodes.build import alike, case, context, run
from tests.nodes.test_search_github import TRACE, Asked

GIVEN = replace(case("Uploading invoices fails", route="bug"), trace=TRACE)


@pytest.mark.parametrize(("services", "asks"), [((), 0), (("notion",), 0), (("notion", "shortcut"), 1)])
def test_it_is_asked_where_it_is_on(services: tuple[str, ...], asks: int) -> None:
    port = Asked((alike(0.0, "shortcut:12", "Invoices cannot be uploaded"), alike(0.0, "octo/widgets#7")))
    ctx = replace(context(services=frozenset(services)), ask=port)
    done = run(SearchShortcut(), GIVEN, ctx)
    assert port.asks == [SearchStories(("QuotaExceededError", "invoice", "upload"))] * asks
    # The issue's own story is none.
    assert [one.ref for one in done.similar] == ["shortcut:12"] * asks


def test_a_report_to_security_is_nobody_elses_business() -> None:
    port = Asked()
    given = replace(case("Uploading invoices fails", route="security"), trace=TRACE)
    run(SearchShortcut(), given, replace(context(services=frozenset({"shortcut"})), ask=port))
    assert port.asks == []
