"""Safe reading of YAML: which values stay text, where keys stand, and what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tierwise.config.yaml_reader import MAX_DEPTH, MAX_FILE_BYTES, Document, key_text, parse_yaml, read_yaml
from tierwise.errors import InvalidInput


def read(text: str) -> Document:
    return parse_yaml(text.encode(), "file.yaml")


def faults(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NO", "NO"),  # Norway
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("010", "010"),  # a code, not octal
        ("007", "007"),
        ("0x1F", "0x1F"),
        ("1_000", 1000),
        ("-12", -12),
        ("12:30", "12:30"),  # not a number in base 60
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", ".5"),
        (".nan", ".nan"),
        (".inf", ".inf"),
        ("2026-10-01", date(2026, 10, 1)),
        ("2026-10-01 10:00:00", "2026-10-01 10:00:00"),
        ("'2026-10-01'", "2026-10-01"),
        ("!!str 5", "5"),
        ("=", "="),
        ("[a, 1]", ["a", 1]),
        ("{a: 1}", {"a": 1}),
        ('"sum(amount)"', "sum(amount)"),
        ("|\n  two\n  lines", "two\nlines\n"),
        ("Händler €", "Händler €"),
    ],
)
def test_a_value_is_read_as_it_is_meant(written: str, value: object):
    found = read(f"key: {written}\n").data["key"]

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("key", ["NO", "on", "true", "null", "2026", "2026-10-01", "010", "1.5", "~"])
def test_keys_are_text(key: str):
    assert read(f"{key}: 1\n").data == {key: 1}


def test_every_key_and_item_has_its_line():
    document = read("# comment\na:\n  b: 1\n  c:\n    - x\n    - {d: 2}\n")

    assert document.lines == {
        (): 2,
        ("a",): 2,
        ("a", "b"): 3,
        ("a", "c"): 4,
        ("a", "c", 0): 5,
        ("a", "c", 1): 6,
        ("a", "c", 1, "d"): 6,
    }
    assert document.where(("a", "c", 1, "d")) == "file.yaml:6 (a.c[1].d)"
    assert document.where(("a", "not", "there")) == "file.yaml:2 (a.not.there)"
    assert document.where() == "file.yaml:2"


def test_a_byte_order_mark_and_windows_line_ends_are_read():
    document = parse_yaml("\ufeffa: 1\r\nb: 2\r\n".encode(), "file.yaml")

    assert document.data == {"a": 1, "b": 2}
    assert document.lines[("b",)] == 2


def test_an_alias_repeats_a_value():
    assert read("a: &source {csv: x.csv}\nb: *source\n").data == {"a": {"csv": "x.csv"}, "b": {"csv": "x.csv"}}


def test_all_duplicate_keys_are_found_at_once():
    found = faults("a: 1\nb: {c: 1, c: 2}\na: 2\na: 3\n")

    assert [line for line in found if "to do" not in line] == [
        "file.yaml:2: the key 'c' stands twice, first in line 2",
        "file.yaml:3: the key 'a' stands twice, first in line 1",
        "file.yaml:4: the key 'a' stands twice, first in line 1",
    ]


def test_keys_that_yaml_1_1_would_confuse_are_different_keys():
    assert read("1: a\n'01': b\ntrue: c\nTrue: d\n").data == {"1": "a", "01": "b", "true": "c", "True": "d"}


def test_an_alias_bomb_is_refused():
    levels = "\n".join(f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 9)}]" for level in range(1, 12))

    found = faults(f"l0: &l0 [x, x]\n{levels}\n")

    assert "aliases expand to more than 100,000 values" in found[0]


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "a: &a {b: *a, c: *a, d: *a}\n"])
def test_an_alias_to_itself_is_refused(text: str):
    assert "aliases expand to more than" in faults(text)[0]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_before_it_costs_anything(opening: str):
    assert faults(f"a:\n  {opening * 5000}")[0] == f"file.yaml:2: values are nested more than {MAX_DEPTH} deep"


@pytest.mark.parametrize(
    "tag", ["!!python/name:os.system", "!!binary", "!!set", "!!omap", "!own", "!!timestamp", "!!bool", "!!int"]
)
def test_tags_make_no_objects(tag: str):
    assert "is not" in faults(f"a: {tag} abc\n")[0]


@pytest.mark.parametrize(
    "text", ["a: 'open\n", "a: [1, 2\n", "a: *unknown\n", "%YAML 3.0\n---\na: 1\n", "a: @b\n", "}\n"]
)
def test_text_that_is_not_yaml_has_a_line(text: str):
    assert faults(text)[0].startswith("file.yaml:")


@pytest.mark.parametrize("size", [MAX_FILE_BYTES + 1])
def test_a_large_file_is_refused_unread(size: int, tmp_path: Path):
    file = tmp_path / "large.yaml"
    file.write_bytes(b"#" * size)

    with pytest.raises(InvalidInput, match="larger than the allowed 1,000,000 bytes"):
        read_yaml(file)
    with pytest.raises(InvalidInput, match="larger than the allowed 1,000,000 bytes"):
        parse_yaml(file.read_bytes(), "file.yaml")


def test_a_folder_is_no_file(tmp_path: Path):
    with pytest.raises(InvalidInput, match="this is a folder, not a file"):
        read_yaml(tmp_path)


def test_a_number_of_ten_thousand_digits_is_a_fault_and_no_crash():
    assert "is not a number that can be read" in faults(f"a: {'9' * 10_000}\n")[0]


def test_key_paths_are_written_as_people_read_them():
    assert key_text(("tiers", 2, "when", "all", 0)) == "tiers[2].when.all[0]"
    assert key_text(()) == ""


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029"))  # the writer breaks lines there
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.dates(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts.filter(bool), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(texts.filter(bool), plain, max_size=4))
def test_what_another_writer_wrote_is_read_back(data: dict[str, object]):
    text = yaml.safe_dump(data, allow_unicode=True)

    assert read(text).data == data


def is_read_or_refused(content: bytes) -> bool:
    """Whether bytes give settings, or else only faults that tell the user their place in the file."""
    try:
        return isinstance(parse_yaml(content, "file.yaml").data, dict)
    except InvalidInput as refused:
        return bool(refused.faults) and all(fault.where.startswith("file.yaml") for fault in refused.faults)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_a_message(content: bytes):
    assert is_read_or_refused(content)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@#,? \n\t\u2028\u0085~<=", max_size=60))
def test_any_punctuation_is_read_or_refused_with_a_message(text: str):
    assert is_read_or_refused(text.encode())
