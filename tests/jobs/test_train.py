"""Training: a version in force and one that waits, everything it found kept beside it, honest with little data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.channel import AS_OF, BEFORE, TODAY
from tests.jobs.small_channel import PARTNERS, small_channel
from tierwise import archetypes
from tierwise.config.load import load_workspace
from tierwise.errors import Refused
from tierwise.jobs.explain import explain_partner
from tierwise.jobs.progress import Step
from tierwise.jobs.score import ScoreRequest, score
from tierwise.jobs.train import STEPS, train
from tierwise.potential.gate import REASONS
from tierwise.reports.training import as_text
from tierwise.store import read_table
from tierwise.store.manifests import read_review
from tierwise.store.partner_rows import read_records
from tierwise.tracking import Registry


def test_three_quarters_of_thirty_partners_give_persistence_and_say_what_could_not_be_done(tmp_path: Path) -> None:
    workspace = small_channel(tmp_path, 3)
    told: list[Step] = []
    summary = train(workspace, AS_OF, TODAY, told.append)
    assert (summary.version, summary.alias, summary.gate) == (1, "champion", "persistence")
    assert summary.partners == PARTNERS
    assert summary.snapshots == 0
    assert summary.gini.empty
    assert summary.notes
    assert [step.number for step in told] == list(range(1, STEPS + 1))
    assert {step.of for step in told} == {STEPS}
    review = score(workspace, ScoreRequest(AS_OF, TODAY))
    stored = read_table(workspace.output_folder, AS_OF, "recommendations")
    assert review.row_counts["recommendations"] == PARTNERS
    assert set(stored["potential_source"]) <= {"persistence", "cold_start"}
    assert stored["potential"].notna().all()


SMALL = {
    (60, 3): (
        "no_completed_review",
        {"gate_closed", "no_interval", "cold_start_nobody", "regime_unknown", "no_archetypes"},
    ),
    (60, 14): ("not_proven", {"gate_closed", "feature_constant", "interval_bands_pooled", "no_archetypes"}),
    (120, 7): (
        "no_time_honest_fold",
        {"gate_closed", "feature_constant", "cold_start_not_tested", "regime_unknown", "no_archetypes"},
    ),
    (250, 14): ("not_proven", {"gate_closed", "feature_constant", "no_archetypes"}),
}  # fmt: skip


@pytest.mark.parametrize(("count", "quarters"), SMALL)
def test_small_channels_are_trained_and_say_all_that_could_not_be_done_and_why(
    tmp_path: Path, count: int, quarters: int
) -> None:
    summary = train(small_channel(tmp_path, quarters, count=count), AS_OF, TODAY)
    reason, codes = SMALL[count, quarters]
    assert (summary.partners, summary.gate, summary.alias) == (count, "persistence", "champion")
    assert summary.gate_sentence.startswith(REASONS[reason])
    assert {note.split(":")[0] for note in summary.notes} == codes
    assert any(summary.gate_sentence in note for note in summary.notes)
    assert summary.archetypes_sentence.startswith("No archetypes are supported: ")
    text = as_text(summary)
    assert all(note in text for note in summary.notes)


def test_the_same_knowledge_trains_the_same_bytes_whatever_came_later(tmp_path: Path) -> None:
    facts = []
    for name in ("with", "without"):
        workspace = small_channel(tmp_path / name, 12)
        path = workspace.data_folder / "deals.csv"
        deals = pd.read_csv(path, dtype=str)
        later = deals["date"] > BEFORE.isoformat()
        assert later.sum() > 30
        kept = deals[~later] if name == "without" else deals
        kept.to_csv(path, index=False)
        assert train(workspace, BEFORE, TODAY).snapshots > 0
        (version,) = Registry.of(workspace).versions()
        facts.append(version["facts"])
    assert facts[0]["bundle_sha256"]
    assert facts[0] == facts[1]


def test_data_that_lost_too_much_train_nothing(tmp_path: Path) -> None:
    workspace = small_channel(tmp_path, 3)
    path = workspace.data_folder / "deals.csv"
    deals = pd.read_csv(path, dtype=str)
    deals.loc[: len(deals) // 3, "partner_id"] = "nobody"
    deals.to_csv(path, index=False)
    with pytest.raises(Refused, match="unknown_partner"):
        train(workspace, AS_OF, TODAY)
    assert Registry.of(workspace).versions() == []


def _files(folder: Path) -> dict[str, Path]:
    """Every file of the training runs' artefacts, by its path in the run."""
    runs = folder / ".tierwise" / "artifacts"
    return {path.relative_to(runs).as_posix().partition("artifacts/")[2]: path for path in runs.rglob("*.*")}


def test_what_a_training_found_is_kept_with_it(trained_channel: Path) -> None:
    workspace = load_workspace(trained_channel)
    details = Registry.of(workspace).show("champion")
    assert details["facts"]["as_of"] == BEFORE.isoformat()
    assert details["params"]["potential.trees.trees"] == "200"
    assert details["params"]["target"] == workspace.settings.potential.metric
    assert 0 < details["metrics"]["persistence_gini"] <= 1
    assert details["card"].startswith("# ")
    files = _files(trained_channel)
    assert {"model-card.md", "model-card.html"} <= set(files)
    for plot in ("gini-by-origin.png", "calibration-by-decile.png"):
        assert files[f"plots/{plot}"].read_bytes().startswith(b"\x89PNG")
    scores = pd.read_csv(files["tables/scores.csv"])
    pooled = scores[(scores["origin"] == "all") & (scores["score"] == "gini")].set_index("candidate")["value"]
    for candidate, value in pooled.items():
        assert details["metrics"][f"{candidate}_gini"] == pytest.approx(value)
    assert any(name.startswith("tables/archetypes_") for name in files)


def test_the_example_kept_with_a_model_names_nobodys_company(trained_channel: Path) -> None:
    names = pd.read_csv(trained_channel / "data" / "partners.csv", dtype=str)["name"].dropna()
    kept = "\n".join(path.read_text("utf-8") for name, path in _files(trained_channel).items() if "example" in name)
    assert kept
    assert [name for name in names if name in kept] == []


def _archetypes_in_force(folder: Path) -> archetypes.ArchetypeModel:
    return archetypes.from_parts(Registry.of(load_workspace(folder)).load_champion().bundle.group("archetypes"))


def test_a_retrain_waits_as_challenger_and_carries_the_archetypes_on(
    trained_channel: Path, copy_of: Callable[[Path], Path]
) -> None:
    folder = copy_of(trained_channel)
    before = _archetypes_in_force(folder)
    summary = train(load_workspace(folder), AS_OF, TODAY)
    registry = Registry.of(load_workspace(folder))
    assert (summary.version, summary.alias) == (2, "challenger")
    assert registry.load_champion().version == 1
    registry.promote("2", by="ada", because="newer data")
    after = _archetypes_in_force(folder)
    both = before.memory.merge(after.memory, on="partner_id", suffixes=("_before", "_after"))
    assert len(both) > 100
    assert (both["archetype_id_before"] == both["archetype_id_after"]).mean() > 0.7
    assert after.next_number >= before.next_number


def test_every_page_shows_the_stored_rows(scored_channel: Path) -> None:
    workspace = load_workspace(scored_channel)
    output = scored_channel / "output"
    stored = read_table(output, AS_OF, "recommendations").set_index("partner_id")
    for partner in stored.index[::15]:
        page = explain_partner(workspace, partner)
        row = stored.loc[partner].dropna()
        assert set(page.recommendation) - {"partner_id"} == set(row.index)
        assert page.recommendation["potential"] == row["potential"]
        said = read_records(output, read_review(output, AS_OF), "reasons", [partner])
        assert [reason.sentence for reason in page.reasons] == [row["sentence"] for row in said]
        assert {criterion.tier for criterion in page.criteria} <= {row.get("recommended_tier"), row.get("next_tier")}


def test_a_reviews_summary_is_what_its_tables_say(scored_channel: Path) -> None:
    found = score(load_workspace(scored_channel), ScoreRequest(AS_OF, TODAY, dry_run=True))
    stored = read_table(scored_channel / "output", AS_OF, "recommendations")
    assert found.actions.set_index("action")["partners"].to_dict() == stored["action"].value_counts().to_dict()
    composition = found.composition.set_index("tier")
    for shown, column in (("partners", "recommended_tier"), ("before", "current_tier")):
        counts = stored[column].fillna("no tier").value_counts()
        assert composition[shown].to_dict() == counts.reindex(composition.index, fill_value=0).to_dict()
    assert composition["revenue_share"].sum() == pytest.approx(1)
    rows = stored.set_index("partner_id")
    assert found.moves
    for move in found.moves:
        row = rows.loc[move.partner_id]
        assert (row["action"], row["recommended_tier"]) == (move.action, move.to_tier)
