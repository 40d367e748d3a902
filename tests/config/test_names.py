"""Hints for names that are not known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.config.names import hint, nearest_name


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("widnow", "window"), ("WINDOW", "window"), ("wher", "where"), ("colour", None), ("", None), ("window", "window")],
)
def test_the_nearest_name_is_the_most_alike_or_none(name: str, nearest: str | None):
    assert nearest_name(name, ["window", "where", "value"]) == nearest


def test_a_hint_names_the_nearest_or_lists_what_is_known():
    assert hint("widnow", ["window", "where"]) == "did you mean 'window'?"
    assert hint("colour", ["window", "where"]) == "known are 'where', 'window'"
    assert hint("colour", ["window"]) == "known is 'window'"
    assert hint("colour", []) == ""


def test_a_long_list_is_cut():
    names = [f"metric_{index:02d}" for index in range(30)]

    assert hint("zzz", names).endswith("'metric_11' and 18 more")


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=20))
def test_the_hint_does_not_depend_on_order_or_repeats(name: str, known: list[str]):
    assert hint(name, known) == hint(name, [*reversed(known), *known])
    assert nearest_name(name, known) in (None, *known)
