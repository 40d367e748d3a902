from __future__ import annotations

import csv
import errno
import json
import os
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.store.review_example import AS_OF, reasons, recommendations, review
from tierwise.errors import InvalidInput, OutsideFailure
from tierwise.store import Review, read_table, verify_review, write_frame, write_text, writer_disk
from tierwise.store import writer as writer_module
from tierwise.store.writer import write_review
from tierwise.store.writer_lock import lock_output
from tierwise.tables.output_schemas import OutputTableError

ALL = ("parquet", "csv", "excel")


def write(output: Path, made: Review) -> Path:
    with lock_output(output, made.run_id) as lock:
        return write_review(lock, made)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_review_is_plain_files_in_the_folder_of_its_date(tmp_path):
    folder = write(tmp_path / "output", review(formats=ALL, documents={"review.md": "# Review\n"}))
    assert folder == tmp_path / "output" / "2026-09-30"
    names = [f"{table}.{suffix}" for table in ("reasons", "recommendations") for suffix in ("csv", "parquet", "xlsx")]
    assert sorted(contents(folder)) == sorted([*names, "review.md", "_SUCCESS.json"])
    assert not folder.is_symlink()
    assert not list((tmp_path / "output").glob(".*.tmp"))


def test_the_manifest_tells_rows_hashes_and_versions(tmp_path):
    folder = write(tmp_path, review(partners=5))
    manifest = json.loads((folder / "_SUCCESS.json").read_text("utf-8"))
    assert (manifest["run_id"], manifest["as_of"]) == ("run-1", "2026-09-30")
    assert manifest["tables"]["recommendations"] == {"file": "recommendations.parquet", "rows": 5}
    assert manifest["versions"] == {"model": "3", "policy": "standard@2026-07-01"}
    for name, entry in manifest["files"].items():
        assert entry == {"bytes": (folder / name).stat().st_size, "sha256": writer_module.sha256_of(folder / name)}


def test_the_same_run_twice_gives_the_same_bytes(tmp_path):
    made = review(formats=ALL, documents={"review.md": "# Review\n"})
    first = contents(write(tmp_path, made))
    again = contents(write(tmp_path, made))
    elsewhere = contents(write(tmp_path / "elsewhere", made))
    assert first == again == elsewhere


def test_bytes_do_not_depend_on_the_process(tmp_path):
    code = (
        "import sys; from pathlib import Path; from tests.store.review_example import review\n"
        "from tierwise.store import lock_output, write_review\n"
        "with lock_output(Path(sys.argv[1])) as lock: write_review(lock, review(formats=('csv', 'excel')))"
    )
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}", "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "other")], check=True, env=environment)
    here = write(tmp_path / "here", review(formats=("csv", "excel")))
    assert contents(here) == contents(tmp_path / "other" / "2026-09-30")


def test_a_new_run_replaces_the_whole_earlier_output(tmp_path):
    write(tmp_path, review("run-1", formats=ALL, documents={"review.md": "old\n"}))
    folder = write(tmp_path, review("run-2", partners=4))
    assert sorted(contents(folder)) == ["_SUCCESS.json", "reasons.parquet", "recommendations.parquet"]
    assert set(read_table(tmp_path, AS_OF, "recommendations")["run_id"]) == {"run-2"}


def test_files_of_the_user_in_the_folder_are_kept(tmp_path):
    folder = write(tmp_path, review("run-1"))
    (folder / "notes.txt").write_text("mine")
    write(tmp_path, review("run-2"))
    assert (folder / "notes.txt").read_text() == "mine"
    assert verify_review(tmp_path, AS_OF).run_id == "run-2"


@pytest.mark.parametrize(
    "make", [lambda folder: (folder / "sheet.xlsx").touch(), lambda folder: (folder / "sub").mkdir()]
)
def test_a_folder_that_is_no_output_is_never_replaced(tmp_path, make):
    place = tmp_path / "2026-09-30"
    place.mkdir()
    make(place)
    before = sorted(place.iterdir())
    with pytest.raises(InvalidInput, match="in the way of the output"):
        write(tmp_path, review())
    assert sorted(place.iterdir()) == before


def test_a_folder_of_the_user_inside_an_output_is_never_deleted(tmp_path):
    folder = write(tmp_path, review("run-1"))
    (folder / "archive").mkdir()
    with pytest.raises(InvalidInput, match="it holds archive"):
        write(tmp_path, review("run-2"))
    assert verify_review(tmp_path, AS_OF).run_id == "run-1"


def test_a_frame_at_fault_leaves_the_earlier_output(tmp_path):
    write(tmp_path, review("run-1"))
    broken = Review(AS_OF, "run-2", {"reasons": reasons().drop(columns="code")})
    with pytest.raises(OutputTableError, match="reasons lacks code"):
        write(tmp_path, broken)
    assert verify_review(tmp_path, AS_OF).run_id == "run-1"


@pytest.mark.parametrize("run_id", ["", "../x", "a b", "x" * 65, "-a", "a\n"])
def test_a_run_id_that_is_no_name_is_refused(tmp_path, run_id):
    with pytest.raises(ValueError, match="run_id"):
        write(tmp_path, review(run_id))


@pytest.mark.parametrize("name", ["../x.md", "_SUCCESS.json", "recommendations", "A.md"])
def test_a_document_needs_a_plain_file_name(tmp_path, name):
    with pytest.raises(ValueError, match="not a file name"):
        write(tmp_path, review(documents={name: "x"}))
    assert not (tmp_path / "2026-09-30").exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("step", ["_finish", "put_in_place"])
def test_what_the_disk_refuses_is_told_and_leaves_the_earlier_output(tmp_path, monkeypatch, code, step):
    write(tmp_path, review("run-1"))
    before = contents(tmp_path / "2026-09-30")

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(writer_module, step, refuse)
    with pytest.raises(OutsideFailure) as caught:
        write(tmp_path, review("run-2"))
    assert os.strerror(code) in str(caught.value)
    assert str(tmp_path / "2026-09-30") in str(caught.value)
    assert "what was there is unchanged" in str(caught.value)
    assert contents(tmp_path / "2026-09-30") == before
    assert not list(tmp_path.glob(".*.tmp"))


def test_a_disk_that_is_full_in_the_middle_of_parquet(tmp_path):
    """A limit on file size is the full disk that an unprivileged test can make."""
    write(tmp_path, review("run-1"))
    code = (
        "import resource, signal, sys; from pathlib import Path; from tests.store.review_example import review\n"
        "from tierwise.errors import OutsideFailure; from tierwise.store import lock_output, write_review\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    with lock_output(Path(sys.argv[1])) as lock: write_review(lock, review('run-2', partners=50_000))\n"
        "except OutsideFailure as error: print(error)"
    )
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}"}
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, env=environment)
    assert "could not write the output" in done.stdout
    assert "File too large" in done.stdout
    assert verify_review(tmp_path, AS_OF).run_id == "run-1"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_output_folder_is_told(tmp_path):
    output = tmp_path / "output"
    output.mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(OutsideFailure, match="Permission denied"):
        write(output, review())


def test_an_output_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "output").write_text("")
    with pytest.raises(OutsideFailure, match="File exists"):
        write(tmp_path / "output", review())


def test_a_second_run_is_kept_out_and_told_who_is_in(tmp_path):
    with lock_output(tmp_path, "nightly"), pytest.raises(OutsideFailure) as caught:
        write(tmp_path, review())
    assert f"process {os.getpid()}" in str(caught.value)
    assert "run nightly" in str(caught.value)
    write(tmp_path, review())


def test_a_lock_is_signed_later_too(tmp_path):
    with lock_output(tmp_path) as lock:
        for run_id in ("a-long-name-of-a-run", "b"):
            lock.sign(run_id)
            with pytest.raises(OutsideFailure, match=rf"process {os.getpid()} .*, run {run_id}\b"):
                write(tmp_path, review())


def test_the_lock_ends_with_its_block_even_on_an_error(tmp_path):
    with pytest.raises(RuntimeError), lock_output(tmp_path):
        raise RuntimeError
    with lock_output(tmp_path) as lock:
        assert lock.folder == tmp_path


def test_an_unsigned_lock_is_told_too(tmp_path):
    with lock_output(tmp_path):
        (tmp_path / ".lock").write_text("")
        with pytest.raises(OutsideFailure, match="has not signed"):
            write(tmp_path, review())


def test_leftovers_of_killed_runs_are_cleaned(tmp_path):
    write(tmp_path, review("run-1"))
    leftover = tmp_path / ".2026-09-30.run-0.tmp"
    leftover.mkdir()
    (leftover / "recommendations.parquet").write_bytes(b"half")
    (tmp_path / ".mine.tmp").mkdir()
    with lock_output(tmp_path):
        assert not leftover.exists()
        assert (tmp_path / ".mine.tmp").exists()
    assert verify_review(tmp_path, AS_OF).run_id == "run-1"


def test_without_the_exchange_call_two_renames_do_it(tmp_path, monkeypatch):
    monkeypatch.setattr(writer_disk, "_exchange", lambda one, other: False)
    write(tmp_path, review("run-1"))
    write(tmp_path, review("run-2"))
    assert verify_review(tmp_path, AS_OF).run_id == "run-2"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "2026-09-30"]


def test_killed_between_the_two_renames_the_earlier_output_is_found_and_put_back(tmp_path):
    folder = write(tmp_path, review("run-1"))
    folder.rename(tmp_path / ".2026-09-30.run-2.old")
    assert verify_review(tmp_path, AS_OF).run_id == "run-1"
    assert len(read_table(tmp_path, AS_OF, "recommendations")) == 3
    with lock_output(tmp_path):
        assert folder.is_dir()
    write(tmp_path, review("run-2"))
    assert verify_review(tmp_path, AS_OF).run_id == "run-2"


def test_the_exchange_is_one_step_for_readers(tmp_path):
    """Between any two system calls of the writer the folder in place is complete."""
    write(tmp_path, review("run-1"))
    seen: set[str] = set()
    watching: list[bool] = []

    def look(event: str, _: object) -> None:
        if watching and event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"):
            watching.clear()
            seen.add(verify_review(tmp_path, AS_OF).run_id)
            watching.append(True)

    sys.addaudithook(look)
    watching.append(True)
    write(tmp_path, review("run-2"))
    watching.clear()
    assert seen == {"run-1", "run-2"}


def test_parquet_is_the_same_for_equal_tables_however_they_were_cut(tmp_path):
    whole = pa.table({"a": list(range(1000))})
    pieces = pa.concat_tables([whole.slice(0, 10), whole.slice(10)])
    write_frame(whole, tmp_path / "whole.parquet")
    write_frame(pieces, tmp_path / "pieces.parquet")
    assert (tmp_path / "whole.parquet").read_bytes() == (tmp_path / "pieces.parquet").read_bytes()


def test_parquet_holds_dates_as_dates_and_nothing_of_pandas(tmp_path):
    folder = write(tmp_path, review())
    schema = pyarrow.parquet.read_schema(folder / "recommendations.parquet")
    assert schema.field("as_of").type == pa.date32()
    assert schema.metadata is None


DANGEROUS = [
    "=1+1",
    "+cmd",
    "-cmd",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\nx",
    " =1",
    "=cmd|' /C calc'!A0",
    "＝1",
    "-1+1",
    '=HYPERLINK("x")',
]
HARMLESS = ["-12.5", "+3", "-1e-3", "a=b", "P-1", "", "'quoted", 'Zoë, "x"\nsecond line', "x -1"]


def with_archetypes(texts: list[str]) -> Review:
    return Review(
        AS_OF, "run-1", {"recommendations": recommendations(len(texts)).assign(archetype=texts)},
        score_columns=("value",), formats=ALL,
    )  # fmt: skip


def test_formulas_are_harmless_in_csv(tmp_path):
    folder = write(tmp_path, with_archetypes(DANGEROUS + HARMLESS))
    with (folder / "recommendations.csv").open(encoding="utf-8", newline="") as stream:
        found = [row["archetype"] for row in csv.DictReader(stream)]
    assert found == [f"'{text}" for text in DANGEROUS] + HARMLESS


def test_formulas_are_harmless_in_excel(tmp_path):
    folder = write(tmp_path, with_archetypes(DANGEROUS + HARMLESS))
    sheet = openpyxl.load_workbook(folder / "recommendations.xlsx")["recommendations"]
    column = [cell.value for cell in sheet[1]].index("archetype")
    cells = [row[column] for row in sheet.iter_rows(min_row=2)]
    assert "f" not in {cell.data_type for cell in cells}
    assert [cell.value for cell in cells[:2]] == ["'=1+1", "'+cmd"]


def test_parquet_holds_the_texts_unchanged(tmp_path):
    write(tmp_path, with_archetypes(DANGEROUS + HARMLESS))
    assert read_table(tmp_path, AS_OF, "recommendations")["archetype"].tolist() == DANGEROUS + HARMLESS


def test_negative_numbers_stay_numbers(tmp_path):
    made = Review(
        AS_OF, "r", {"recommendations": recommendations(2).assign(headroom=-2.5)}, score_columns=("value",), formats=ALL
    )
    folder = write(tmp_path, made)
    assert pd.read_csv(folder / "recommendations.csv")["headroom"].tolist() == [-2.5, -2.5]
    assert pd.read_excel(folder / "recommendations.xlsx")["headroom"].tolist() == [-2.5, -2.5]


def test_characters_that_xml_cannot_hold_do_not_stop_excel(tmp_path):
    folder = write(tmp_path, with_archetypes(["a\x00b", "c\x1fd", "ok\ttab"]))
    assert pd.read_excel(folder / "recommendations.xlsx")["archetype"].tolist() == ["a\ufffdb", "c\ufffdd", "ok\ttab"]


def test_more_rows_than_a_sheet_holds_are_refused_before_writing(tmp_path, monkeypatch):
    monkeypatch.setattr(writer_module, "EXCEL_MAX_ROWS", 2)
    with pytest.raises(InvalidInput, match="reasons, recommendations: more than the 2 rows"):
        write(tmp_path, review(formats=ALL))
    assert not (tmp_path / "2026-09-30").exists()


def test_csv_round_trip_is_exact_for_numbers(tmp_path):
    folder = write(tmp_path, review(partners=50, formats=("csv",)))
    with (folder / "recommendations.csv").open(encoding="utf-8", newline="") as stream:
        back = [float(row["potential"]) for row in csv.DictReader(stream)]
    assert back == recommendations(50)["potential"].tolist()
    assert b"\r" not in (folder / "recommendations.csv").read_bytes()


def test_write_frame_keeps_data_as_it_is(tmp_path):
    frame = pd.DataFrame(
        {"id": ["=1", None, ""], "day": pd.to_datetime(["2026-01-01"] * 3), "amount": [1.5, None, -2.0]}
    )
    write_frame(frame, tmp_path / "deep" / "a.csv")
    write_frame(frame, tmp_path / "deep" / "a.parquet")
    text = (tmp_path / "deep" / "a.csv").read_text("utf-8")
    assert text.splitlines()[:2] == ['"id","day","amount"', '"=1",2026-01-01 00:00:00.000000,1.5']
    assert pd.read_parquet(tmp_path / "deep" / "a.parquet")["id"].tolist()[0] == "=1"
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["a.csv", "a.parquet"]


def test_write_frame_refuses_other_formats(tmp_path):
    with pytest.raises(ValueError, match=r"a\.xlsx: a table is written as"):
        write_frame(pd.DataFrame({"a": [1]}), tmp_path / "a.xlsx")


def test_write_text_replaces_whole_files(tmp_path):
    write_text(tmp_path / "a.md", "one\n")
    write_text(tmp_path / "a.md", "zwei ü\n")
    assert (tmp_path / "a.md").read_bytes() == "zwei ü\n".encode()


def test_write_text_tells_what_the_disk_refuses(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutsideFailure, match=r"could not write a\.md"):
        write_text(tmp_path / "file" / "a.md", "x")


def test_other_dates_are_other_folders(tmp_path):
    write(tmp_path, review())
    earlier = Review(date(2026, 6, 30), "run-0", {"reasons": reasons()})
    write(tmp_path, earlier)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "2026-06-30", "2026-09-30"]
