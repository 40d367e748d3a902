"""Parquet read with its types gives the same in every byte as Parquet read as text: rows, messages, counts, digits."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.sources_example import workspace_of
from tierwise.config.load import Workspace
from tierwise.engine import open_engine
from tierwise.errors import InvalidInput
from tierwise.store import sources
from tierwise.tables import check_tables, fingerprint

TODAY = date(2026, 10, 1)
AS_OF = date(2026, 6, 30)
DAY = date(2026, 5, 1)
PARTNERS = {
    "kind": "partners",
    "source": {"parquet": "partners.parquet"},
    "columns": {"partner_id": {}, "joined_on": {}, "left_on": {}},
}
COLUMNS = {
    "deal_id": {},
    "partner_id": {},
    "date": "day",
    "known_on": {},
    "amount": {"type": "money", "currency_from": "currency", "min": 0},
    "list_price": {"type": "money", "required": True},
    "discount": {"type": "decimal", "max": "0.5"},
    "units": {"type": "integer", "min": 1},
    "is_new": {"type": "boolean"},
    "flag": {"type": "boolean"},
    "status": {"allowed": ["won", "lost"]},
    "expires_on": {"type": "date"},
    "ends_on": {},
    "batch": {},
    "note": {},
    "origin": {"value": "export"},
    "weight": {"value": 2, "type": "integer"},
}
KINDS = {
    "deal_id": pa.string(),
    "partner_id": pa.string(),
    "day": pa.date32(),
    "known_on": pa.date32(),
    "amount": pa.decimal128(18, 2),
    "currency": pa.string(),
    "list_price": pa.decimal128(20, 4),
    "discount": pa.decimal128(3, 3),
    "units": pa.int32(),
    "is_new": pa.bool_(),
    "flag": pa.uint8(),
    "status": pa.dictionary(pa.int8(), pa.string()),
    "expires_on": pa.date32(),
    "ends_on": pa.date32(),
    "batch": pa.int64(),
    "note": pa.large_string(),
}
Row = Mapping[str, object]


def deal(number: int, **values: object) -> dict[str, object]:
    """A row that keeps the contract, but for the values given."""
    good = {"deal_id": f"D{number}", "partner_id": "P1", "day": DAY, "amount": Decimal("10.50"), "currency": "USD",
            "list_price": Decimal("12.0000"), "units": 1, "is_new": True, "flag": 1, "status": "won", "batch": 7,
            "ends_on": DAY}  # fmt: skip
    return {**good, **values}


PLANTED = [
    deal(1),
    deal(2, deal_id=None),
    deal(3, partner_id="  "),
    deal(4, deal_id="D" * 201),
    deal(5, deal_id="D\x07"),
    deal(6, partner_id="P1\u200b"),
    deal(7, partner_id=" P2\u00a0"),
    deal(8, day=date(2027, 1, 1)),
    deal(9, day=date(1812, 6, 24)),
    deal(10, day=None),
    deal(11, known_on=date(2099, 12, 31)),
    deal(12, partner_id="P9"),
    deal(13, partner_id="P3"),
    deal(14, currency="CHF"),
    deal(15, currency=None),
    deal(16, currency=" eur ", amount=Decimal("9999999999999999.99")),
    deal(17, currency="JPY", amount=Decimal("12345678901.23")),
    deal(18, amount=Decimal("-0.01")),
    deal(19, amount=None, currency=None),
    deal(20, list_price=None),
    deal(21, list_price=Decimal("1234567890123456.0001")),
    deal(22, discount=Decimal("0.501")),
    deal(23, discount=Decimal("-0.050")),
    deal(24, units=0),
    deal(25, units=None),
    deal(26, flag=2),
    deal(27, status="Won"),
    deal(28, status=""),
    deal(29, expires_on=date(2075, 1, 1), ends_on=None),
    deal(30, note="line\nbreak"),
    deal(31, note="nul\x00"),
    deal(32, note="Grüße, \u201cja\u201d '\\"),
    deal(33, note="x" * 300, status="no"),
    deal(1),
    deal(7, partner_id="P2"),
    deal(33, units=5),
]


def write(path: Path, rows: Sequence[Row], kinds: Mapping[str, pa.DataType] = KINDS, **options: Any) -> None:
    columns = [pa.array([row.get(name) for row in rows], kind) for name, kind in kinds.items()]
    pq.write_table(pa.table(columns, names=list(kinds)), path, **options)


def channel(folder: Path, *deals: Sequence[Row], kinds: Mapping[str, pa.DataType] = KINDS, **table: Any) -> Workspace:
    """A workspace with partners and one file of deals per list of rows, in row groups of two rows."""
    partners = [
        {"partner_id": "P1"},
        {"partner_id": "P2", "joined_on": date(2026, 3, 1)},
        {"partner_id": "P3", "joined_on": date(2026, 3, 1), "left_on": date(2026, 2, 1)},
    ]
    days = dict.fromkeys(("joined_on", "left_on"), pa.date32())
    write(folder / "partners.parquet", partners, {"partner_id": pa.string(), **days})
    for number, rows in enumerate(deals):
        write(folder / f"deals-{number}.parquet", rows, kinds, row_group_size=2)
    own = {"kind": "events", "source": {"parquet": "deals-*.parquet"}, "columns": COLUMNS, "money": "amount"}
    tables = {"partners": PARTNERS, "deals": {**own, "key": ["deal_id"], **table}}
    rates = {"program": "USD", "rates": {"EUR": "1.10", "JPY": "0.0068"}}
    return workspace_of(folder, {}, tables=tables, currency=rates)


def outcome(workspace: Workspace, *, as_text: bool) -> dict[str, object]:
    """Everything that reading and judging leave, by one of the two ways."""
    with pytest.MonkeyPatch.context() as patch, open_engine() as engine:
        if as_text:
            patch.setattr(sources, "read_typed", lambda *_: None)
        record = sources.read_tables(engine, workspace)
        assert ("_fault" in engine.columns("raw_deals")) is as_text
        result = check_tables(engine, workspace, TODAY)
        tables = [*workspace.settings.tables, "quarantine"]
        return {
            "read": record,
            "tables": engine.rows("SHOW TABLES"),
            "columns": {name: dict(engine.columns(name)) for name in tables},
            "rows": {name: engine.rows(f"SELECT * FROM {name}") for name in tables},
            "found": (result.tables, result.rules, result.warnings),
            "periods": result.periods.to_dict("list"),
            "fingerprint": fingerprint(engine, workspace, AS_OF),
        }


def assert_same_both_ways(workspace: Workspace) -> dict[str, object]:
    typed, text = outcome(workspace, as_text=False), outcome(workspace, as_text=True)
    assert typed == text
    return typed


def test_every_planted_fault_is_met_with_the_same_words(tmp_path):
    found = assert_same_both_ways(channel(tmp_path, PLANTED[:11], PLANTED[11:12], PLANTED[12:]))

    assert found["tables"] == [
        ("_known_partners",),
        ("_turned_away_partners",),
        ("deals",),
        ("partners",),
        ("quarantine",),
    ]
    quarantine = found["rows"]["quarantine"]
    assert {row[3] for row in quarantine} == {
        "missing_key", "duplicate_key", "too_long", "control_characters", "unknown_currency", "wrong_type",
        "impossible_date", "future_date", "required_missing", "not_allowed", "out_of_range", "left_before_joined",
        "unknown_partner",
    }  # fmt: skip
    assert ("deals", 22, "D22", "out_of_range", "discount", "0.501") in [row[:6] for row in quarantine]


@pytest.mark.parametrize("key", [[], ["deal_id", "day_of_export"], ["amount", "date", "flag"]])
def test_duplicates_are_the_same_whatever_the_key(tmp_path, key):
    columns = {**COLUMNS, "day_of_export": "ends_on"}
    workspace = channel(tmp_path, [*PLANTED, *PLANTED[:3]], PLANTED[20:], columns=columns, key=key)

    assert_same_both_ways(workspace)


def test_rules_prospects_and_required_amounts_are_the_same(tmp_path):
    columns = {**COLUMNS, "amount": {**COLUMNS["amount"], "required": True}}
    own = {"rules": {"is_paid": "amount > 0.5 * list_price", "counted": "units <= 3 or is_new"}, "columns": columns}

    assert_same_both_ways(channel(tmp_path, PLANTED, unknown_partner="prospect", **own))


def test_an_empty_file_and_a_file_without_a_fault_are_the_same(tmp_path):
    found = assert_same_both_ways(channel(tmp_path, [], [deal(1), deal(2)], []))

    assert [(read.table, read.place, read.rows) for read in found["read"].reads] == [
        ("deals", "deals-0.parquet", 0),
        ("deals", "deals-1.parquet", 2),
        ("deals", "deals-2.parquet", 0),
        ("partners", "partners.parquet", 3),
    ]


WORDS = st.one_of(
    st.none(),
    st.sampled_from(
        ["P1", "P2", "won", " ", "", "\t", "\u00a0", "a b", " won", "EUR", "jpy ", "USD", "'", "é", "\u200b"]
    ),
    st.text(st.characters(codec="utf-8"), max_size=4),
)
DAYS = st.one_of(st.none(), st.dates(date(1, 1, 1), date(9999, 12, 31)), st.dates(AS_OF, TODAY + timedelta(3)))


def amounts(digits: int, places: int) -> st.SearchStrategy[Decimal | None]:
    largest = 10 ** (digits - places) - 1
    whole = st.one_of(st.integers(-5, 5), st.integers(-largest, largest))
    return st.one_of(
        st.none(), st.builds(lambda n, f: n + Decimal(f) / 10**places, whole, st.integers(0, 10**places - 1))
    )


ROWS = st.fixed_dictionaries(
    {
        "deal_id": st.one_of(WORDS, st.sampled_from(["D1", "D2", "D3"])),
        "partner_id": st.one_of(st.just("P1"), WORDS),
        "day": st.one_of(st.just(DAY), DAYS),
        "known_on": DAYS,
        "amount": amounts(18, 2),
        "currency": WORDS,
        "list_price": amounts(20, 4),
        "discount": st.one_of(st.none(), st.integers(-999, 999).map(lambda n: Decimal(n) / 1000)),
        "units": st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)),
        "is_new": st.one_of(st.none(), st.booleans()),
        "flag": st.one_of(st.none(), st.integers(0, 3)),
        "status": WORDS,
        "expires_on": DAYS,
        "ends_on": DAYS,
        "batch": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
        "note": WORDS,
    }
)


@given(first=st.lists(ROWS, max_size=6), second=st.lists(ROWS, max_size=4))
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
def test_any_rows_are_read_and_judged_alike(first, second):
    with tempfile.TemporaryDirectory() as folder:
        assert_same_both_ways(channel(Path(folder), first, second))


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        ("amount", [1.5], pa.float64()),
        ("expires_on", [datetime(2026, 5, 1, 12)], pa.timestamp("us")),
        ("batch", [2**63], pa.uint64()),
        ("discount", [None], pa.null()),
        ("discount", [Decimal("0.5")], pa.decimal128(38, 38)),
        ("list_price", [Decimal(12)], pa.decimal256(50, 2)),
    ],
    ids=lambda value: str(value) if isinstance(value, pa.DataType) else None,
)
def test_a_type_that_the_engine_would_write_otherwise_goes_as_text(tmp_path, column, values, kind):
    workspace = channel(tmp_path, [deal(1, **{column: values[0]})], kinds={**KINDS, column: kind})
    with open_engine() as engine:
        sources.read_tables(engine, workspace)
        assert "_fault" in engine.columns("raw_deals")
        assert "_fault" not in engine.columns("raw_partners")


@pytest.mark.parametrize("column", ["day", "expires_on", "ends_on"])
@pytest.mark.parametrize("days", [-719_163, 2_932_897, 2**31 - 1])
def test_days_outside_the_years_1_to_9999_go_as_text(tmp_path, column, days):
    workspace = channel(tmp_path, [deal(1)])
    path = tmp_path / "deals-0.parquet"
    table = pq.read_table(path)
    far = pa.array([days], pa.int32()).cast(pa.date32())
    pq.write_table(table.set_column(table.schema.get_field_index(column), column, far), path)
    with open_engine() as engine:
        sources.read_tables(engine, workspace)
        assert "_fault" in engine.columns("raw_deals")


def test_files_that_differ_in_a_type_or_hold_names_that_differ_in_case_go_as_text(tmp_path):
    workspace = channel(tmp_path, [deal(1)])
    write(tmp_path / "deals-1.parquet", [deal(2)], {**KINDS, "units": pa.int64()})
    with open_engine() as engine:
        sources.read_tables(engine, workspace)
        assert engine.rows("SELECT deal_id, units FROM raw_deals ORDER BY _row") == [("D1", "1"), ("D2", "1")]

    write(tmp_path / "deals-1.parquet", [deal(2, UNITS=9)], {**KINDS, "UNITS": pa.int32()})
    with open_engine() as engine:
        sources.read_tables(engine, workspace)
        assert engine.rows("SELECT deal_id, units FROM raw_deals ORDER BY _row") == [("D1", "1"), ("D2", "1")]


@pytest.mark.parametrize("name", ["d*als-0.parquet", "deals [old]-0.parquet", "day=2026-01-01'.parquet"])
def test_names_of_files_are_no_patterns_and_no_sql(tmp_path, name):
    workspace = channel(tmp_path, [deal(1)], source={"parquet": name})
    (tmp_path / "deals-0.parquet").rename(tmp_path / name)
    write(tmp_path / "deals-1.parquet", [deal(2)])
    with open_engine() as engine:
        sources.read_tables(engine, workspace)
        assert engine.rows("SELECT deal_id, CAST(date AS VARCHAR) FROM raw_deals") == [("D1", "2026-05-01")]


def test_names_of_columns_are_no_sql(tmp_path):
    name = 'a"; DROP TABLE deals; --'
    columns = {**COLUMNS, "note": name}
    workspace = channel(tmp_path, [deal(1, **{name: "x"})], kinds={**KINDS, name: pa.string()}, columns=columns)

    assert assert_same_both_ways(workspace)["rows"]["deals"][0][14] == "x"


def test_a_fault_of_one_file_is_told_beside_those_of_other_tables(tmp_path):
    workspace = channel(tmp_path, [deal(1)], kinds={name: kind for name, kind in KINDS.items() if name != "units"})
    (tmp_path / "partners.parquet").write_bytes(b"PAR1")
    with pytest.raises(InvalidInput) as caught, open_engine() as engine:
        sources.read_tables(engine, workspace)

    assert [fault.what.split(":")[0] for fault in caught.value.faults] == [
        "the column 'units' is missing",
        "this is not a readable Parquet file",
    ]
