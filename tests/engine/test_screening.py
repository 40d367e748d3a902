"""Hostile text is refused before or while it is parsed, each with one clear message."""

from __future__ import annotations

import pytest

from tierwise.engine import parse_expression
from tierwise.errors import InvalidInput

KINDS = ("scalar", "aggregate", "window")


def refusal(text: str, kind: str = "scalar") -> str:
    with pytest.raises(InvalidInput) as caught:
        parse_expression(text, where="metrics.yaml: metrics.x.value", kind=kind)
    assert len(caught.value.faults) == 1
    assert caught.value.faults[0].where == "metrics.yaml: metrics.x.value"
    return caught.value.faults[0].what


HOSTILE = {
    "(select max(amount) from deals)": "'select' at character 2: sub-queries are not allowed",
    "exists (SELECT 1)": "'SELECT' at character 9: sub-queries are not allowed",
    "amount in (select 1)": "sub-queries are not allowed",
    "with x as (values (1)) table x": "'with' starts a statement",
    "read_csv('/etc/passwd')": "the function read_csv() is not allowed",
    "read_parquet('s3://bucket/x')": "the function read_parquet() is not allowed",
    "glob('*')": "the function glob() is not allowed",
    "getenv('HOME')": "the function getenv() is not allowed",
    "current_setting('memory_limit')": "the function current_setting() is not allowed",
    "query('drop table deals')": "the function query() is not allowed",
    "columns('a.*')": "the function columns() is not allowed",
    "pragma database_list": "'pragma' starts a statement",
    "attach 'x.db'": "not a SQL expression",
    "copy deals to 'x.csv'": "'copy' starts a statement",
    "drop table deals": "'drop' starts a statement",
    "install httpfs": "'install' starts a statement",
    "set threads = 9": "'set' starts a statement",
    "amount; drop table deals": "';' at character 7",
    "amount -- and more": "'--' at character 8: comments are not allowed",
    "amount /* and more */": "'/*' at character 8: comments are not allowed",
    "amount = ?": "parameters are not allowed",
    "amount = $1": "parameters are not allowed",
    "amount = :x": "parameters and structures are not allowed",
    "amount = @x": "'@' is not part of the language",
    "x -> x + 1": "lambdas and JSON paths are not allowed",
    "[1, 2]": "lists are not part of the language",
    "{'a': 1}": "structures are not part of the language",
    "deals.amount": "has a dot: names stand alone",
    "amount::json": "a cast to JSON is not allowed",
    "amount::decimal(50, 2)": "is not a decimal type of at most 38 digits",
    "amount::decimal(5, 9)": "the scale of a decimal is larger than its width",
    "cast(amount as struct(a integer))": "only plain casts are allowed",
    "date '2026-02-30'": "'2026-02-30' is not a date",
    "1e999": "does not fit",
    "1" * 50: "does not fit",
    "*": "'*' outside count(*)",
    "(1, 2)": "a list of values is not part of the language",
    "a // b": "'//' (write floor(a / b))",
    "a ^ b": "write pow(a, b)",
    "now()": "nothing may read the clock; use as_of",
    "current_date": "nothing may read the clock; use as_of",
    "random()": "the same inputs must give the same figures",
    "e'\\n'": "BYTESTRING is not part of the language",
    "'open": "a text is not closed",
    '"Amount"': "a quoted name holds lower-case letters",
    "(amount": "a bracket is not closed",
    "amount)": "')' at character 7 closes nothing",
    "": "the expression is empty",
    " \n ": "the expression is empty",
    "a b": "not a SQL expression",
    "a as b": "not a SQL expression",
    "a, b": "not a SQL expression",
    "аmount": "'а' (U+0430) at character 1 is not allowed outside a text",
    "amount ＞ 1": "'＞' (U+FF1E) at character 8",
    "amount\u00a0> 1": "U+00A0 at character 7",
    "amount\u202e > 1": "U+202E at character 7",
    "amount = 'a\0b'": "character 12 is U+0000",
    "amount = '\ud800'": "U+D800",
}


@pytest.mark.parametrize("text", list(HOSTILE))
def test_hostile_text_is_refused_with_its_reason(text: str) -> None:
    assert HOSTILE[text] in refusal(text)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", list(HOSTILE))
def test_hostile_text_is_refused_wherever_it_stands(text: str, kind: str) -> None:
    assert refusal(text, kind)


def test_a_megabyte_is_refused_unread() -> None:
    assert refusal("a + " * 250_000 + "a") == (
        "the expression is 1,000,001 characters long; at most 10,000 are allowed in the expression "
        "'a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + ...'"
    )


@pytest.mark.parametrize(
    "text",
    [
        "(" * 25 + "a" + ")" * 25,
        "abs(" * 3000 + "a" + ")" * 3000,
        "not " * 2000 + "a",
        "- " * 4000 + "a",
        "case when a then " * 400 + "1" + " end" * 400,
        "a between " * 500 + "1",
        "(" * 5000,
    ],
)
def test_deep_nesting_is_refused_without_recursion_error(text: str) -> None:
    assert refusal(text)


def test_long_flat_chains_are_allowed() -> None:
    chain = " or ".join(f"a = {number}" for number in range(900))
    assert parse_expression(chain, where="x").names == {"a"}
    assert parse_expression("+".join(["a"] * 2000), where="x").names == {"a"}


def test_non_ascii_is_allowed_in_texts_only() -> None:
    assert parse_expression("region = 'Île-de-France; -- /* ё 日本'", where="x").names == {"region"}


def test_a_long_message_is_cut_and_printable() -> None:
    message = refusal("amount = '" + "x" * 500 + "' ;\n")
    assert len(message) < 200
    assert message.isprintable()
