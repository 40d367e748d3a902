"""`init`: workspaces that load, whole or not at all, never over a user's files without leave."""

from __future__ import annotations

import hashlib
from datetime import date

import pyarrow.csv
import pyarrow.parquet
import pytest

from tierwise.config.load import load_workspace
from tierwise.engine import open_engine
from tierwise.errors import InvalidInput
from tierwise.jobs import init as init_job
from tierwise.jobs.init import InitRequest, init, packaged_workspace
from tierwise.store.sources import read_tables
from tierwise.tables import check_tables


def contents(folder) -> dict[str, str]:
    """The hash of every file."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("init") / "demo"
    return init(InitRequest(folder, "demo", seed=1))


def checked(folder):
    """What the contract check finds in a workspace."""
    workspace = load_workspace(folder)
    with open_engine(workspace.settings.engine) as engine:
        read_tables(engine, workspace)
        return check_tables(engine, workspace, date(2026, 11, 1))


def test_the_demo_has_csv_and_parquet_tables_and_the_truth_apart(demo):
    names = {str(path.relative_to(demo.folder)) for path in demo.files}
    assert {"tierwise.yaml", "metrics.yaml", "benefits.yaml", "data/deals.csv", "data/opportunities.parquet"} <= names
    assert {"truth/partners.parquet", "truth/potential.parquet", "truth/planted_faults.parquet"} <= names
    assert all(path.is_file() for path in demo.files)


def test_the_demo_loads_with_two_policies_and_a_good_catalog(demo):
    workspace = load_workspace(demo.folder)
    assert [policy.version for policy in workspace.policies] == ["revenue@2024-10-01", "standard@2026-07-01"]
    assert workspace.benefits is not None
    metrics = workspace.catalog.metrics
    assert 25 <= len(metrics) <= 40
    assert all(
        metric.title and metric.unit and metric.owner and metric.family != "other" for metric in metrics.values()
    )
    dimensions = {metric.dimension for metric in metrics.values()}
    assert dimensions >= {"revenue_potential", "market_reach", "strategic_alignment", "velocity"}
    assert sum(metric.actionable for metric in metrics.values()) >= 5


def test_every_partner_dimension_of_the_policy_has_points(demo):
    score = load_workspace(demo.folder).policies[-1].scores["value"]
    points = {}
    for component in score.components:
        points[component.dimension] = points.get(component.dimension, 0) + component.max
    assert set(points) == {"revenue_potential", "market_reach", "strategic_alignment", "velocity"}
    assert sum(points.values()) == score.max == 100


def test_no_setting_of_the_demo_leads_to_the_truth(demo):
    texts = [path.read_text("utf-8") for path in demo.files if path.suffix == ".yaml"]
    assert not any("truth/" in text or "truth\\" in text for text in texts)
    workspace = load_workspace(demo.folder)
    sources = [table.source.csv or table.source.parquet for table in workspace.settings.tables.values()]
    assert all(
        workspace.data_folder == demo.folder / "data" and not source.startswith((".", "/")) for source in sources
    )


def test_the_quarantine_of_the_demo_is_exactly_what_was_planted(demo):
    planted = pyarrow.parquet.read_table(demo.folder / "truth" / "planted_faults.parquet").to_pandas()
    result = checked(demo.folder)
    found = {check.table: check.quarantined for check in result.tables if check.quarantined}
    assert found == planted.groupby("table").size().to_dict()
    assert not result.over_tolerance


def test_the_program_rates_of_the_demo_are_the_generators(demo):
    from tierwise.synthetic.profiles import USD_RATES

    rates = load_workspace(demo.folder).settings.currency.rates
    assert {"USD": 1.0, **{name: float(rate) for name, rate in rates.items()}} == USD_RATES


def test_the_same_request_gives_the_same_bytes(demo, tmp_path):
    again = init(InitRequest(tmp_path / "again", "demo", seed=1))
    assert contents(again.folder) == contents(demo.folder)


def test_the_template_works_at_once(tmp_path):
    made = init(InitRequest(tmp_path / "mine"))
    result = checked(made.folder)
    assert [(check.table, check.quarantined) for check in result.tables] == [("partners", 0), ("deals", 0)]
    assert result.tables[0].accepted == 120


@pytest.mark.parametrize("example", ["adventureworks", "olist"])
def test_the_other_examples_are_copied_as_they_are(tmp_path, example):
    if not (packaged_workspace(example) / "tierwise.yaml").is_file():
        pytest.skip(f"pipelines/{example} is not there yet")
    made = init(InitRequest(tmp_path / example, example))
    assert contents(made.folder) == contents(packaged_workspace(example))


def test_a_large_channel_is_written_as_parquet_parts(tmp_path, monkeypatch):
    """The switch is at 5,000 partners; the test moves it so as to stay small."""
    monkeypatch.setattr(init_job, "MOST_CSV_PARTNERS", 1_000)
    monkeypatch.setattr(init_job, "PART_CHUNKS", 1)
    steps = []
    made = init(InitRequest(tmp_path / "large", "demo", partners=1_100, years=2), steps.append)
    deals = sorted(path.name for path in made.files if path.name.startswith("deals"))
    assert deals == ["deals-00000.parquet", "deals-00001.parquet"]
    assert not list((made.folder / "data").glob("*.csv"))
    assert [step.number for step in steps] == [1, 2]
    assert next(check.accepted for check in checked(made.folder).tables if check.table == "partners") == 1_100


def test_a_folder_with_files_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="the folder is not empty") as caught:
        init(InitRequest(tmp_path, "demo"))
    assert "notes.txt" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_force_replaces_the_workspace_and_keeps_other_files(tmp_path):
    init(InitRequest(tmp_path / "w", "demo", partners=30, years=2))
    (tmp_path / "w" / "notes.txt").write_text("mine")
    (tmp_path / "w" / "policies" / "2027-01-01.yaml").write_text("a draft")
    (tmp_path / "w" / "data" / "deals-00001.parquet").write_text("of an earlier, larger channel")
    made = init(InitRequest(tmp_path / "w", "demo", partners=40, years=2, force=True))
    assert (tmp_path / "w" / "notes.txt").read_text() == "mine"
    assert (tmp_path / "w" / "policies" / "2027-01-01.yaml").read_text() == "a draft"
    assert not (tmp_path / "w" / "data" / "deals-00001.parquet").exists()
    assert pyarrow.csv.read_csv(made.folder / "data" / "partners.csv").num_rows == 40


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "empty").mkdir()
    assert init(InitRequest(tmp_path / "empty")).folder == tmp_path / "empty"


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "w").write_text("a file")
    with pytest.raises(InvalidInput, match="not a folder"):
        init(InitRequest(tmp_path / "w"))


def test_an_unknown_example_is_refused_with_a_hint(tmp_path):
    with pytest.raises(InvalidInput, match="did you mean 'olist'"):
        init(InitRequest(tmp_path / "w", "olits"))


def test_a_failure_half_way_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(init_job, "write_frame", fail)
    with pytest.raises(Exception, match="No space left"):
        init(InitRequest(tmp_path / "w", "demo", partners=10, years=2))
    assert list(tmp_path.iterdir()) == []
