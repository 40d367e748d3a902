"""Equal visible data, equal fingerprint: whatever the order of rows, and whatever comes after the day."""

from __future__ import annotations

from datetime import date
from hashlib import md5
from random import Random

import pytest

from tests.tables.small_channel import check, deal, small_workspace
from tierwise.tables import fingerprint

AS_OF = date(2026, 6, 30)
PARTNERS = [
    {"partner_id": "P1", "region": "EMEA"},
    {"partner_id": "P2", "joined_on": "2026-01-15"},
    {"partner_id": "P3", "joined_on": "2026-08-01"},
]
DEALS = [
    deal(1, amount="5", units="2"),
    deal(2, date="2026-06-30"),
    deal(3, date="2026-07-01"),
    deal(4, date="2026-05-05", known_on="2026-07-02"),
    deal(5, partner_id="P3", date="2026-09-01"),
]


def fingerprint_of(engine, deals=DEALS, partners=PARTNERS, as_of=AS_OF) -> str:
    workspace = small_workspace(tolerance={"rows": 1, "money": 1})
    check(engine, workspace, {"partners": partners, "deals": deals})
    return fingerprint(engine, workspace, as_of)


def test_the_order_of_rows_does_not_matter(engine):
    shuffled = Random(7).sample(DEALS, len(DEALS))

    assert fingerprint_of(engine, shuffled, PARTNERS[::-1]) == fingerprint_of(engine)


def test_what_is_dated_or_known_or_joined_later_does_not_matter(engine):
    visible = [row for row in DEALS if row["deal_id"] in ("D1", "D2")]
    left = [{**PARTNERS[0], "left_on": "2026-09-30"}, PARTNERS[1]]

    assert fingerprint_of(engine, visible, left) == fingerprint_of(engine)


@pytest.mark.parametrize(
    "changed",
    [
        [*DEALS, deal(6)],
        DEALS[1:],
        [{**DEALS[0], "amount": "5.0001"}, *DEALS[1:]],
        [{**DEALS[0], "units": None}, *DEALS[1:]],
        [{**DEALS[0], "units": None, "amount": "52"}, *DEALS[1:]],
        [{**DEALS[0], "partner_id": "P2"}, *DEALS[1:]],
    ],
)
def test_any_visible_difference_matters(engine, changed):
    assert fingerprint_of(engine, changed) != fingerprint_of(engine)


def test_the_day_matters_only_through_what_is_visible(engine):
    assert fingerprint_of(engine, as_of=date(2026, 7, 1)) != fingerprint_of(engine)
    assert fingerprint_of(engine, as_of=date(2026, 12, 30)) == fingerprint_of(engine, as_of=date(2026, 12, 31))
    left = [{**PARTNERS[0], "left_on": "2026-06-30"}, *PARTNERS[1:]]
    assert fingerprint_of(engine, partners=left) != fingerprint_of(engine)


def test_the_published_recipe_gives_the_same_digits_without_the_engine(engine):
    """Recomputed in plain Python, as another engine would have to."""
    columns = ["amount", "date", "deal_id", "known_on", "partner_id", "units"]
    rows = [["5.0000", "2026-05-01", "D1", None, "P1", "2"], ["100.0000", "2026-06-30", "D2", None, "P1", None]]
    partner_columns = ["joined_on", "left_on", "partner_id", "region"]
    partners = [[None, None, "P1", "EMEA"], ["2026-01-15", None, "P2", None]]
    lines = [f"deals:2:{hash_sum(columns, rows)}", f"partners:2:{hash_sum(partner_columns, partners)}"]

    assert fingerprint_of(engine) == md5("\n".join(lines).encode()).hexdigest()


def hash_sum(columns, rows) -> int:
    texts = [
        ",".join(columns) + "|" + "".join("-" if value is None else f"{len(value)}:{value}" for value in row)
        for row in rows
    ]
    return sum(int(md5(text.encode()).hexdigest()[:15], 16) for text in texts)
