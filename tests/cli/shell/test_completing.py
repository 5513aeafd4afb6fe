"""What is offered where the cursor is."""

from __future__ import annotations

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from fairlead.cli.shell.completing import Completing
from fairlead.cli.shell.names import Names

NAMES = Names(
    {
        "relations": ("orders", "Customers", "odd name"),
        "connections": ("lake", "lab"),
        "stages": ("raw",),
        "secrets": ("key",),
        "databases": ("main", "sales"),
        "users": ("ann",),
        "roles": ("reader",),
        "settings": ("TimeZone", "dialect"),
    },
    {"orders": ("id", "amount", "customer_id"), "Customers": ("id", "city")},
)


def offered(before: str, *, asked: bool = True) -> list[str]:
    found = Completing(lambda: NAMES).get_completions(Document(before), CompleteEvent(completion_requested=asked))
    return [one.text for one in found]


@pytest.mark.parametrize(
    ("before", "first"),
    [
        ("select * from ", ["orders", '"Customers"', '"odd name"']),
        ("select * from o", ["orders", '"odd name"']),
        ("select * from cu", ['"Customers"']),
        ("SELECT 1; UPDATE or", ["orders"]),
        ("grant usage on connection ", ["lake", "lab"]),
        ("select 1 into link la", ["lake", "lab"]),
        ("select * from @", ["raw"]),
        ("select * from @r", ["raw"]),
        ("use s", ["sales"]),
        ("alter user ", ["ann", "reader"]),
        ("set ti", ['"TimeZone"']),
        ("drop secret ", ["key"]),
        ("select orders.a", ["amount"]),
        ("select o. from orders o", []),
        ("select * from orders o where o.c", ["customer_id"]),
        ('select "Customers".', ["id", "city"]),
        ("select public.o", ["orders", '"odd name"']),
        ("select * from orders where am", ["amount"]),
        ("\\d or", ["orders"]),
        ("\\c sa", ["sales"]),
        ("\\cop", ["\\copy"]),
    ],
)
def test_names_that_fit(before, first):
    assert offered(before)[: len(first)] == first


@pytest.mark.parametrize(
    ("before", "word"),
    [
        ("sel", "select"),
        ("SEL", "SELECT"),
        ("CREATE CONN", "CONNECTION"),
        ("select * fr", "from"),
        ("vali", "validate"),
    ],
)
def test_keywords_in_the_case_in_which_they_are_begun(before, word):
    assert word in offered(before)


def test_only_names_follow_where_only_names_can():
    assert offered("drop connection ") == ["lake", "lab"]
    assert "SELECT" not in offered("use ")


def test_nothing_is_offered_before_something_is_typed():
    assert offered("select ", asked=False) == []
    assert offered("select * from orders o where o.", asked=False) == ["id", "amount", "customer_id"]


def test_nothing_of_an_earlier_statement_counts():
    assert "amount" not in offered("select * from orders; select am")
