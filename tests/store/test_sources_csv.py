"""CSV as companies write it: encodings, line ends, quoting, and rows that do not fit."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.sources_example import read, read_all, workspace_of
from tierwise.errors import InvalidInput
from tierwise.store import sources_csv

HEADER = "id,partner,day,price"


def csv_file(folder: Path, text: str | bytes, name: str = "deals.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def deals(folder: Path, text: str | bytes, **source: object) -> list[tuple[object, ...]]:
    csv_file(folder, text)
    return read(workspace_of(folder, {"csv": "deals.csv", **source}))


def refusal(folder: Path, text: str | bytes, **source: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        deals(folder, text, **source)
    return str(caught.value).replace(str(folder), "data")


def test_every_value_is_text_and_rows_are_numbered(tmp_path):
    assert deals(tmp_path, f"{HEADER}\n007,P1,2026-01-05,1e3\n2,,,\n") == [
        (1, None, "007", "P1", "2026-01-05", "1e3"),
        (2, None, "2", "", "", ""),
    ]


def test_only_mapped_columns_are_read_in_the_order_of_the_workspace(tmp_path):
    text = "price,secret,day,partner,id\n5,x,2026-01-05,P1,D1\n"

    assert deals(tmp_path, text) == [(1, None, "D1", "P1", "2026-01-05", "5")]


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (b"\xef\xbb\xbf" + f"{HEADER}\n1,São,,\n".encode(), {}),
        (f"{HEADER}\r\n1,São,,\r\n".encode(), {}),
        (f"{HEADER}\r1,São,,\r".encode(), {}),
        (f"{HEADER}\n1,São,,".encode(), {}),
        (f"\n\n{HEADER}\n\n1,São,,\n\n".encode(), {}),
        (f"{HEADER}\n1,São,,\n".encode("latin-1"), {"encoding": "latin-1"}),
        (f"{HEADER}\n1,São,,\n".encode("utf-16"), {"encoding": "utf-16"}),
        (f"{HEADER}\n1,São,,\n".replace(",", ";").encode(), {"delimiter": ";"}),
        (f"{HEADER}\n1,São,,\n".replace(",", "\t").encode(), {"delimiter": "\t"}),
        ('"id","partner","day","price"\n"1","São","",""\n'.encode(), {}),
    ],
    ids=["bom", "crlf", "cr", "no last line end", "blank lines", "latin-1", "utf-16", "semicolon", "tab", "quoted"],
)
def test_the_usual_variants_of_csv_read_alike(tmp_path, text, source):
    assert deals(tmp_path, text, **source) == [(1, None, "1", "São", "", "")]


def test_quoted_line_ends_delimiters_and_quotes_stay_in_their_value(tmp_path):
    text = f'{HEADER}\n1,"a\r\nb, ""c""",,\n2,x,,\n'

    assert [row[3] for row in deals(tmp_path, text)] == ['a\r\nb, "c"', "x"]


def test_a_field_of_ten_megabytes_and_nul_bytes_are_read(tmp_path):
    long = "x" * 10_000_000
    rows = deals(tmp_path, f'{HEADER}\n1,{long},,\n2,"{long}",,\n3,a\0b,,\n')

    assert [len(str(row[3])) for row in rows] == [10_000_000, 10_000_000, 3]
    assert rows[2][3] == "a\0b"


def test_lines_that_do_not_fit_are_counted_and_keep_their_place(tmp_path):
    text = f"{HEADER}\n1,P1,,\n2,P1\n3,P1,,\n\n4,P1,,,extra\n5,P1,,\n"
    rows = deals(tmp_path, text)

    assert [(row[0], row[2]) for row in rows] == [(1, "1"), (2, None), (3, "3"), (4, None), (5, "5")]
    assert rows[1][1] == "the line has 2 values, the header 4 columns: '2,P1'"
    assert rows[3][1] == "the line has 5 values, the header 4 columns: '4,P1,,,extra'"


def test_many_lines_that_do_not_fit_over_several_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(sources_csv, "LARGEST_ROW_BYTES", 4096)
    lines = [f"{n},P1" if n % 7 == 0 else f"{n},P1,," for n in range(1, 3001)]
    rows = deals(tmp_path, "\n".join([HEADER, *lines]))

    assert [row[0] for row in rows] == list(range(1, 3001))
    assert all((row[2] is None) == (int(str(row[0])) % 7 == 0) for row in rows)
    assert all(row[2] in (None, str(row[0])) for row in rows)


@given(
    rows=st.lists(
        st.tuples(*[st.text(st.characters(blacklist_categories=["Cs"]), max_size=6)] * 4), min_size=1, max_size=8
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_a_csv_writer_writes_is_read_back(tmp_path, rows):
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([HEADER.split(","), *rows])

    assert [row[2:] for row in deals(tmp_path, written.getvalue())] == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "data/deals.csv: the file is empty: it has not even a header line"),
        ("\n\n", "data/deals.csv: the file is empty: it has not even a header line"),
        ("id,partner,day,prize\n", "data/deals.csv: the column 'price' is missing; did you mean 'prize'?"),
        ("id,partner,day,price,price\n", "data/deals.csv: the column 'price' stands 2 times in the header"),
        (f'{HEADER}\n1,P1,,\n2,"P1,,\n3,P1,,\n', "data/deals.csv:3: the quoting is broken in the record that starts"),
        (f'{HEADER}\n1,P1,,"\n2,P1,,\n', "data/deals.csv:2: the quoting is broken in the record that starts in line 2"),
        (f'{HEADER}\n1,"P"1,,\n', "data/deals.csv:2: the quoting is broken in the record that starts in line 2"),
        (f"{HEADER}\n1,P1,,\n2,S\xe3o,,\n".encode("latin-1"), "data/deals.csv:3: byte 0xe3 is not UTF-8"),
        (f"{HEADER}\n1,P1,,\n".encode("utf-16"), "data/deals.csv:1: the file is UTF-16, not utf-8"),
        ("id,p\xe3,day,price\n".encode("latin-1"), "data/deals.csv:1: byte 0xe3 is not UTF-8"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_whole_is_refused_with_its_line(tmp_path, text, message):
    assert refusal(tmp_path, text).startswith(message)


def test_a_missing_column_shows_the_header_that_was_found(tmp_path):
    message = refusal(tmp_path, "key;partner;day;price\n")

    assert message.count("is missing") == 4
    assert (
        "to do: the columns found are 'key;partner;day;price'; correct 'from' of the column in tierwise.yaml" in message
    )


def test_a_line_beyond_the_bound_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sources_csv, "LARGEST_ROW_BYTES", 2000)

    assert "a line is longer than the allowed 2,000 bytes" in refusal(tmp_path, f"{HEADER}\n1,{'x' * 9000},,\n2,P,,\n")


def test_a_glob_reads_files_in_the_order_of_their_names_and_numbers_on(tmp_path):
    csv_file(tmp_path, f"{HEADER}\n3,P1,,\n4,P1\n", "deals-2.csv")
    csv_file(tmp_path, f"{HEADER}\n1,P1,,\n2,P1,,\n", "deals-1.csv")
    csv_file(tmp_path, "price,day,partner,id\n,,P2,5\n", "deals-3.csv")
    (tmp_path / "deals-4.csv").mkdir()
    record, rows = read_all(
        workspace_of(tmp_path, {"csv": "deals-*.csv"}), "SELECT _row, deal_id FROM raw_deals ORDER BY 1"
    )

    assert rows == [(1, "1"), (2, "2"), (3, "3"), (4, None), (5, "5")]
    assert [(read.place, read.rows) for read in record.reads] == [
        ("deals-1.csv", 2),
        ("deals-2.csv", 2),
        ("deals-3.csv", 1),
    ]


def test_a_header_alone_is_an_empty_table(tmp_path):
    assert deals(tmp_path, f"{HEADER}\n") == []
