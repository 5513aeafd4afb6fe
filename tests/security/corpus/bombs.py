"""Statements that eat memory, never end, ignore an interrupt, or choke the one who reads them."""

# ruff: noqa: E501  # a statement stays on one line, to be read and copied as a whole

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Bomb:
    """One of them.

    Args:
        id: short name.
        sql: the statement; ``{b}`` is the bucket.
        always: run in every test run, not only in the long one.
        may_end: may end by itself, without an error: what counts is that nobody else feels it.
    """

    id: str
    sql: str
    always: bool = False
    may_end: bool = False


# Those of the measurements, section 11. Most ignore an interrupt for long; the first two for ever.
ENGINE: Final = (
    Bomb("union-of-20000", " UNION ALL ".join(["SELECT 1"] * 20_000), always=True, may_end=True),
    Bomb("levenshtein", "SELECT levenshtein(repeat('a', 200000), repeat('b', 200000))", always=True),
    Bomb("lambda-over-a-list", "SELECT list_sum(list_transform(range(300000000), lambda x: x * 2))"),
    Bomb("sorted-list", "SELECT list_sort(range(100000000))[1]", always=True),
    Bomb("lpad", "SELECT length(lpad('a', 2000000000, 'b'))"),
    Bomb("hex-of-a-blob", "SELECT length(hex(repeat('a', 1500000000)::BLOB))"),
    Bomb("repeat-4-gigabytes", "SELECT length(repeat('a', 4000000000))", always=True),
    Bomb("damerau-levenshtein", "SELECT damerau_levenshtein(repeat('a', 60000), repeat('b', 60000))", always=True),
    Bomb("unnested-range", "SELECT count(*) FROM (SELECT unnest(range(1000000000)))", always=True, may_end=True),
    Bomb("length-of-a-range", "SELECT len(range(1000000000))"),
    Bomb("bitstring", "SELECT bit_count(bitstring('1', 2000000000))", may_end=True),
    Bomb("repeat-2-gigabytes", "SELECT length(repeat('a', 2000000000))", may_end=True),
    Bomb("format", "SELECT length(format('{:2000000000d}', 1))"),
    Bomb("printf", "SELECT length(printf('%2000000000d', 1))"),
    Bomb("pivot-over-90000", "PIVOT (SELECT range AS r FROM range(90000)) ON r USING count(*)"),
    Bomb("enum-of-20-million", "SELECT * FROM (PIVOT (SELECT range AS r FROM range(20000000)) ON r USING count(*))"),
    # Well behaved in the measurements; they must stay so.
    Bomb(
        "endless-cross-join",
        "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = 1",
        always=True,
    ),
    Bomb("endless-recursion", "WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a FROM r) SELECT count(*) FROM r"),
    Bomb(
        "doubling-recursion",
        "WITH RECURSIVE r AS (SELECT repeat('a', 1000) AS a UNION ALL SELECT a || a FROM r) SELECT max(length(a)) FROM r",
    ),
    Bomb("big-aggregate", "SELECT count(*) FROM (SELECT range, count(*) FROM range(2000000000) GROUP BY range)"),
    Bomb("big-string-aggregate", "SELECT length(string_agg(range::VARCHAR, '')) FROM range(2000000000)"),
    Bomb(
        "big-sort", "SELECT count(*) FROM (SELECT hash(range) AS h FROM range(1000000000) ORDER BY h LIMIT 500000000)"
    ),
    Bomb(
        "big-temporary-table",
        "CREATE TEMP TABLE big AS SELECT range, repeat('a', 1000) AS a, hash(range) AS h FROM range(100000000)",
    ),
    Bomb("regular-expression", "SELECT regexp_matches(repeat('a', 50000000), '(a|a)*b')", may_end=True),
    Bomb("in-a-macro", "SELECT levenshtein(repeat('a', 200000 + length('x')), repeat('b', 200000))"),
)
# Those for the gateway itself: its parser, its event loop, its memory.
GATEWAY: Final = (
    Bomb("nested-parentheses", "SELECT " + "(" * 100_000 + "1" + ")" * 100_000, always=True),
    Bomb("nested-brackets", "SELECT " + "[" * 100_000 + "1" + "]" * 100_000),
    Bomb("nested-comments", "SELECT 1 " + "/*" * 500_000),
    Bomb("closed-nested-comments", "SELECT 1 " + "/*" * 200_000 + "*/" * 200_000, may_end=True),
    Bomb("nested-explain", "EXPLAIN " * 50_000 + "SELECT 1"),
    Bomb("nested-selects", "SELECT * FROM (" * 20_000 + "SELECT 1" + ")" * 20_000),
    Bomb("many-statements", "SELECT 1;" * 2_000, may_end=True),
    Bomb("many-empty-statements", ";" * 500_000, always=True, may_end=True),
    Bomb("many-tokens", "SELECT " + ",".join(["1"] * 300_000), always=True, may_end=True),
    Bomb("many-stages", "SELECT * FROM " + ", ".join(["@raw/x.parquet"] * 5_000), may_end=True),
    Bomb("many-quotes", "SELECT " + "'" * 1_000_001, always=True),
    Bomb("many-dollars", "SELECT " + "$" * 500_001),
    Bomb("many-tags", "SELECT " + " ".join(f"$t{n}$" for n in range(50_000))),
    Bomb("many-dots", "SELECT * FROM " + ".".join(["a"] * 100_000)),
    Bomb("long-identifier", "SELECT " + "a" * 10_000_000),
    Bomb("long-text", "SELECT length('" + "a" * 20_000_000 + "')", may_end=True),
    Bomb("long-option", "CREATE SECRET s AZ '" + "a" * 10_000_000 + "'", always=True),
    Bomb("long-name", "DROP SECRET " + "a" * 5_000_000),
    Bomb("long-json", "CREATE LINK l AS S3 CREDENTIALS '" + "[" * 200_000 + "'", always=True),
    Bomb("many-options", "CREATE CONNECTION c TO AWS (" + ", ".join(["REGION = 'x'"] * 50_000) + ")"),
    Bomb("many-grantees", "GRANT READ ON STAGE raw TO " + ", ".join(["analyst"] * 50_000)),
    Bomb("long-like", "SHOW STAGES LIKE '" + "%a" * 200 + "'", may_end=True),
    Bomb("many-wildcards", "SHOW STAGES LIKE '" + "%" * 100_000 + "b'", always=True, may_end=True),
    Bomb("catastrophic-pattern", "LIST @raw/ PATTERN = '(x+x+)+y'", always=True, may_end=True),
    Bomb("long-error", "SELECT error(repeat('a', 100000000))", always=True),
    Bomb("long-column-name", 'SELECT 1 AS "' + "a" * 1_000_000 + '"', may_end=True),
    Bomb("many-columns", "SELECT " + ", ".join(f"1 AS c{n}" for n in range(30_000)), may_end=True),
    Bomb("huge-value", "SELECT repeat('a', 300000000)", always=True, may_end=True),
    Bomb("huge-parameter-number", "SELECT $99999999999999999999"),
)
