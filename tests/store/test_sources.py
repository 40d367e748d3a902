"""Reading a workspace's tables: places, mappings, lookups, and all faults at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.sources_example import COLUMNS, read, read_all, table_names, workspace_of
from tierwise.engine import open_engine
from tierwise.errors import InvalidInput, OutsideFailure
from tierwise.store.sources import find_files, read_tables

DEALS = """\
id,partner,day,price,product,currency
1,P1,2026-01-01,5,10,EUR
2,P1,2026-01-02,6, 11 ,USD
3,P2,2026-01-03,7,99,
4,P2,2026-01-04,8,,
"""
PRODUCTS = "sku,name,group\n10,Frame,1\n11,Bell,7\n12,Lamp,\n,Nothing,\n"
GROUPS = "key,title\n1,Bikes\n2,Parts\n"
LOOKUPS = {
    "product": {"source": {"csv": "products.csv"}, "key": "sku"},
    "group": {"source": {"csv": "groups.csv"}, "key": "key"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("deals.csv", DEALS), ("products.csv", PRODUCTS), ("groups.csv", GROUPS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def looked_up(folder: Path, **columns: object):
    return workspace_of(folder, {"csv": "deals.csv"}, {**COLUMNS, **columns}, lookups=LOOKUPS)


def test_a_lookup_is_followed_by_key(folder):
    workspace = looked_up(folder, product={"from": "product", "via": ["product.name"]})

    assert read(workspace, "SELECT product FROM raw_deals ORDER BY _row") == [("Frame",), ("Bell",), (None,), (None,)]


def test_lookups_are_followed_one_after_another_and_dangling_keys_are_counted(folder):
    workspace = looked_up(
        folder,
        product={"from": "product", "via": ["product.name"]},
        group={"from": "product", "via": ["product.group", "group.title"]},
    )
    record, rows = read_all(workspace, 'SELECT product, "group" FROM raw_deals ORDER BY _row')

    assert rows == [("Frame", "Bikes"), ("Bell", None), (None, None), (None, None)]
    assert [(found.column, found.lookup, found.rows, found.keys) for found in record.dangling] == [
        ("product", "product", 1, ("99",)),
        ("product > product.group", "group", 1, ("7",)),
    ]


def test_a_lookup_may_give_its_own_key(folder):
    workspace = looked_up(folder, product={"from": "product", "via": ["product.sku"]})

    assert read(workspace, "SELECT product FROM raw_deals ORDER BY _row") == [("10",), ("11",), (None,), (None,)]


def test_a_key_that_stands_twice_in_a_lookup_is_refused(folder):
    (folder / "products.csv").write_text("sku,name\n10,Frame\n 10,Bell\n11,a\n11,b\n")
    with pytest.raises(InvalidInput) as caught:
        read(looked_up(folder, product={"from": "product", "via": ["product.name"]}))

    (fault,) = caught.value.faults
    assert fault.where == "lookup 'product'"
    assert fault.what == "keys of the column 'sku' that stand more than once: 2"
    assert fault.examples == ("10", "11")


@pytest.mark.parametrize(("value", "text"), [("EMEA", "EMEA"), (True, "true"), (7, "7"), ("it's", "it's")])
def test_a_constant_stands_in_every_readable_row(folder, value, text):
    (folder / "deals.csv").write_text("id,partner,day,price\n1,P1,,\n2\n")
    workspace = workspace_of(folder, {"csv": "deals.csv"}, {**COLUMNS, "region": {"value": value}})

    assert read(workspace, "SELECT region FROM raw_deals ORDER BY _row") == [(text,), (None,)]


def test_the_currency_of_a_row_comes_beside_its_amount(folder):
    columns = {**COLUMNS, "amount": {"from": "price", "type": "money", "currency_from": "currency"}}
    workspace = workspace_of(folder, {"csv": "deals.csv"}, columns)

    assert read(workspace, "SELECT amount, _currency_of_amount FROM raw_deals ORDER BY _row")[:2] == [
        ("5", "EUR"),
        ("6", "USD"),
    ]


def test_one_source_column_may_feed_several_columns_and_the_case_of_names_matters(folder):
    (folder / "deals.csv").write_text("id,ID,partner,day,price\nlow,HIGH,P1,2026-01-01,5\n")
    workspace = workspace_of(folder, {"csv": "deals.csv"}, {**COLUMNS, "upper": "ID", "again": "id"})

    assert read(workspace, "SELECT deal_id, upper, again FROM raw_deals") == [("low", "HIGH", "low")]


def test_only_the_raw_tables_are_left_in_the_engine(folder):
    with open_engine() as engine:
        read_tables(engine, looked_up(folder, product={"from": "product", "via": ["product.name"]}))

        assert table_names(engine) == ["raw_deals"]


def test_the_same_sources_are_read_again_into_the_same_engine(folder):
    with open_engine() as engine:
        for _ in range(2):
            read_tables(engine, looked_up(folder, product={"from": "product", "via": ["product.name"]}))

        assert engine.rows("SELECT count(*) FROM raw_deals") == [(4,)]


def test_the_faults_of_all_sources_are_reported_at_once(folder):
    (folder / "products.csv").write_text("key,name\n")
    (folder / "groups.csv").unlink()
    tables = {
        "visits": {"kind": "events", "source": {"parquet": "visits.parquet"}, "columns": {"partner_id": {}, "date": {}}}
    }
    columns = {**COLUMNS, "product": {"from": "product", "via": ["product.group", "group.title"]}}
    with pytest.raises(InvalidInput) as caught:
        read(workspace_of(folder, {"csv": "deal.csv"}, columns, lookups=LOOKUPS, tables=tables))

    assert [fault.what for fault in caught.value.faults] == [
        "the column 'sku' is missing",
        "the column 'group' is missing",
        "there is no file 'groups.csv'; did you mean 'products.csv'?",
        "there is no file 'deal.csv'; did you mean 'deals.csv'?",
        "there is no file 'visits.parquet'; known are 'deals.csv', 'products.csv'",
    ]


def test_a_missing_folder_and_a_folder_in_place_of_a_file_are_named(folder):
    (folder / "sub").mkdir()
    for pattern, what in (("nowhere/deals.csv", "there is no folder for the source 'nowhere/deals.csv'"),
                          ("sub", "the source 'sub' is a folder, not a file")):  # fmt: skip
        with pytest.raises(InvalidInput) as caught:
            find_files(folder, pattern)
        assert caught.value.faults[0].what == what
        assert caught.value.faults[0].todo


def test_a_file_name_with_glob_characters_is_taken_literally_first(folder):
    (folder / "deals[1].csv").write_text(DEALS)
    (folder / "deals1.csv").write_text(DEALS)

    assert [path.name for path in find_files(folder, "deals[1].csv")] == ["deals[1].csv"]
    assert [path.name for path in find_files(folder, "**/deals[0-9].csv")] == ["deals1.csv"]
    assert [path.name for path in find_files(folder, str(folder / "d*1.csv"))] == ["deals1.csv"]


def test_a_variable_of_the_environment_names_a_path(folder, monkeypatch):
    monkeypatch.setenv("DEALS_FILE", "deals")

    assert len(read(workspace_of(folder, {"csv": "${DEALS_FILE}.csv"}))) == 4


def test_a_file_that_the_system_does_not_give_is_a_failure_outside(folder, monkeypatch):
    def refuse(*_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OutsideFailure, match="the file cannot be read: Permission denied"):
        read(workspace_of(folder, {"csv": "deals.csv"}))
