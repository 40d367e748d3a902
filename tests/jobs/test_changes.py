"""Why figures changed between two reviews, with answers by hand: data, model and policy, each alone and together."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.jobs.tiny_workspace import AS_OF, METRICS, POLICY, accepted, write_workspace
from tierwise import archetypes, potential
from tierwise.config.load import Workspace, load_workspace
from tierwise.config.model_spec import ArchetypeSpec, PotentialSpec
from tierwise.engine import Engine
from tierwise.errors import Fault, InvalidInput
from tierwise.explain.changes import CODES, PARTS
from tierwise.jobs import changes as job
from tierwise.jobs.changes import Changes, ReviewNow, stored_metrics
from tierwise.jobs.policy_inputs import with_outputs
from tierwise.jobs.snapshots import archetype_features, build_snapshots, model_features
from tierwise.metrics import compute
from tierwise.policy import place
from tierwise.potential import PotentialModel
from tierwise.store import Review, lock_output, write_review
from tierwise.tables.output_schemas import output_table

BEFORE = date(2026, 6, 30)
SECOND = date(2026, 8, 1)


def _policy(points: int, entry: int) -> dict[str, Any]:
    score = {"components": [
        {"name": "skills", "points": f"{points} * certified"},
        {"name": "outlook", "points": "0.1 * potential"},
    ]}  # fmt: skip
    tiers = [
        {"name": "entry"},
        {"name": "growth", "when": f"value >= {entry}"},
        {"name": "top", "when": "value >= 900"},
    ]
    return deepcopy(POLICY) | {"scores": {"value": score}, "tiers": tiers}


@dataclass
class Case:
    """Two reviews of one channel: A gets a second certificate in between, B nothing, C is new."""

    engine: Engine
    workspace: Workspace
    output: Path
    model: PotentialModel
    earlier_model: PotentialModel

    def review(self, day: date, version: str, model: PotentialModel) -> ReviewNow:
        rows = compute(self.engine, self.workspace, [day])
        policy = self.workspace.policy_on(day)
        found = archetypes.fit(rows, archetype_features(self.workspace), ArchetypeSpec(), 1)
        inputs = with_outputs(rows, model, found)
        placement = place(self.engine, policy, inputs)
        return ReviewNow(day, version, model, found, policy, inputs, placement, pd.DataFrame())

    def write_before(self, version: str = "1", tables: tuple[str, ...] = ("metrics",), **versions: str) -> None:
        before = self.review(BEFORE, version, self.earlier_model)
        own = before.placement.tiers.drop(columns=["rule", "next_tier"])
        recommended = own.merge(before.inputs[["partner_id", "potential"]], on="partner_id")
        blank = {name: None for name in output_table("recommendations").columns if name not in recommended.columns}
        recommended = recommended.assign(**blank)
        told = {"action": "hold", "model_version": version, "policy_version": "p", "data_fingerprint": "d"}
        recommended = recommended.drop(columns=["run_id", "as_of"]).assign(**told)
        parts = potential.contributions(before.model, before.inputs).assign(
            target="potential", baseline="channel", factor=1.0
        )
        parts = parts[[name for name in output_table("contributions").columns if name in parts.columns]]
        written = {"recommendations": recommended, "contributions": parts}
        if "metrics" in tables:
            written["metrics"] = stored_metrics(self.workspace, before.inputs)
        about = {"model": version, "policy_sha256": before.policy.sha256, **versions}
        with lock_output(self.output, "before") as lock:
            write_review(lock, Review(BEFORE, "before", written, about, ("value",)))

    def changes(self, version: str = "1", model: PotentialModel | None = None) -> dict[str, pd.DataFrame]:
        now = self.review(AS_OF, version, model or self.model)
        found = Changes.since_previous(self.engine, self.workspace, self.output, now)
        return found.tables(now.inputs["partner_id"], potential.contributions(now.model, now.inputs))


def _with_constant_potential(model: PotentialModel, value: float) -> PotentialModel:
    constant = replace(model.cold_start, base=float(np.log(value)), effects={}, terms=(), trained_on="newcomers")
    spec = model.spec.model_copy(
        update={"cold_start": model.spec.cold_start.model_copy(update={"tenure_days": 100_000})}
    )
    return replace(model, cold_start=constant, spec=spec)


@pytest.fixture
def case(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    first, second = getattr(request, "param", (_policy(10, 25), None))
    people = [
        ("A", "2025-12-01", "a1"),
        ("A", "2026-08-01", "a2"),
        ("B", "2025-12-01", "b1"),
        ("C", "2026-08-01", "c1"),
    ]
    tables = {
        "partners": [{"partner_id": n, "joined_on": "2026-07-15" if n == "C" else "2025-01-01"} for n in "ABC"],
        "deals": [],
        "certifications": [dict(zip(("partner_id", "date", "person"), row, strict=True)) for row in people],
    }
    workspace = write_workspace(tmp_path, tables, METRICS, first)
    if second is not None:
        document = deepcopy(second) | {"policy": "second", "effective_from": SECOND}
        (tmp_path / "policies" / "second.yaml").write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
        workspace = load_workspace(tmp_path)
    with accepted(workspace) as engine:
        snapshots = build_snapshots(engine, workspace, AS_OF)
        trained = potential.train(snapshots, model_features(workspace), PotentialSpec(), pd.Timestamp(AS_OF), 1)
        same = _with_constant_potential(trained, 100.0)
        yield Case(engine, workspace, tmp_path / "output", same, same)


def _row(changes: pd.DataFrame, partner: str, target: str) -> Mapping[str, Any]:
    (row,) = changes[(changes["partner_id"] == partner) & (changes["target"] == target)].to_dict("records")
    return row


def _parts(row: Mapping[str, Any]) -> list[float]:
    return [row[name] for name in PARTS]


def test_a_first_review_has_no_rows_and_no_fault(case: Case) -> None:
    found = case.changes()
    assert found["changes"].empty
    assert found["moved_metrics"].empty


def test_with_the_same_model_and_policy_everything_comes_from_the_data(case: Case) -> None:
    case.write_before()
    found = case.changes()["changes"]
    row = _row(found, "A", "value")  # 10 points a certificate, one of them new, and 10 for the potential
    assert (row["value_before"], row["value_now"], row["code"]) == (20, 30, "split")
    assert _parts(row) == [10, 0, 0]
    assert _row(found, "A", "eligible_tier")["from_data"] == 1
    assert _row(found, "A", "potential")["unit"] == "USD"
    assert (found["previous_as_of"] == pd.Timestamp(BEFORE)).all()


def test_who_did_not_change_has_zeros_and_who_is_new_a_code(case: Case) -> None:
    case.write_before()
    found = case.changes()["changes"]
    for target in ("value", "potential", "eligible_tier"):
        assert _parts(_row(found, "B", target)) == [0, 0, 0]
        new = _row(found, "C", target)
        assert (new["code"], np.isnan(new["value_before"])) == ("new_partner", True)
        assert np.isnan(_parts(new)).all()


@pytest.mark.parametrize("case", [(_policy(10, 25), _policy(20, 25))], indirect=True)
def test_data_and_policy_share_what_they_make_together(case: Case) -> None:
    case.write_before()
    found = case.changes()["changes"]
    row = _row(found, "A", "value")  # 10 x 1 -> 20 x 2, and 10 for the potential before and after
    assert (row["value_before"], row["value_now"]) == (20, 50)
    assert _parts(row) == pytest.approx([15, 0, 15])
    assert _parts(_row(found, "B", "value")) == pytest.approx([0, 0, 10])
    assert _parts(_row(found, "B", "eligible_tier")) == pytest.approx([0, 0, 1])
    assert _parts(_row(found, "A", "potential")) == [0, 0, 0]


def _registry_with(monkeypatch: pytest.MonkeyPatch, model: PotentialModel | None, case: Case) -> None:
    class _Registry:
        @staticmethod
        def of(_: Workspace) -> _Registry:
            return _Registry()

        def load_version(self, version: str) -> SimpleNamespace:
            if model is None:
                raise InvalidInput(Fault(f"there is no model version {version!r}"))
            parts = {"potential": potential.to_parts(model)}
            found = case.review(BEFORE, "1", model).found
            parts["archetypes"] = archetypes.to_parts(found)
            return SimpleNamespace(bundle=SimpleNamespace(group=parts.__getitem__))

    monkeypatch.setattr(job, "Registry", _Registry)


def test_another_model_has_its_own_part(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    _registry_with(monkeypatch, case.earlier_model, case)
    case.write_before()
    found = case.changes("2", _with_constant_potential(case.model, 300.0))["changes"]
    assert _parts(_row(found, "A", "potential")) == pytest.approx([0, 200, 0])
    assert _parts(_row(found, "A", "value")) == pytest.approx([10, 20, 0])
    assert _parts(_row(found, "B", "eligible_tier")) == pytest.approx([0, 1, 0])


@pytest.mark.parametrize("case", [(_policy(10, 25), _policy(20, 25))], indirect=True)
def test_all_three_at_once_add_up(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    _registry_with(monkeypatch, case.earlier_model, case)
    case.write_before()
    found = case.changes("2", _with_constant_potential(case.model, 300.0))["changes"]
    assert _parts(_row(found, "A", "value")) == pytest.approx([15, 20, 15])
    split = found[found["code"] == "split"]
    gaps = split[list(PARTS)].sum(axis=1) - (split["value_now"] - split["value_before"])
    assert gaps.abs().max() <= 1e-9


def test_a_model_that_is_gone_is_said_so(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    _registry_with(monkeypatch, None, case)
    case.write_before()
    found = case.changes("2", _with_constant_potential(case.model, 300.0))["changes"]
    row = _row(found, "A", "potential")
    assert (row["code"], row["value_before"], row["value_now"]) == (
        "earlier_model_gone",
        pytest.approx(100),
        pytest.approx(300),
    )
    assert np.isnan(_parts(row)).all()


def test_a_policy_that_is_gone_leaves_the_potential_split(case: Case) -> None:
    case.write_before(policy_sha256="of another file")
    found = case.changes()["changes"]
    assert _row(found, "A", "value")["code"] == "earlier_policy_gone"
    assert _row(found, "A", "potential")["code"] == "split"


def test_a_review_without_stored_metrics_is_said_so_where_they_are_needed(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    _registry_with(monkeypatch, case.earlier_model, case)
    case.write_before(tables=())
    assert set(case.changes()["changes"]["code"]) == {"split", "new_partner"}  # all from the data: nothing is needed
    found = case.changes("2", _with_constant_potential(case.model, 300.0))
    assert _row(found["changes"], "A", "potential")["code"] == "earlier_metrics_not_stored"
    assert found["moved_metrics"].empty


def test_an_earlier_figure_that_does_not_come_out_again_is_not_split(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    _registry_with(monkeypatch, _with_constant_potential(case.model, 50.0), case)
    case.write_before()
    found = case.changes("2", _with_constant_potential(case.model, 300.0))["changes"]
    assert _row(found, "A", "potential")["code"] == "not_reproduced"


def test_moved_metrics_are_those_of_the_catalog(case: Case) -> None:
    case.write_before()
    moved = case.changes()["moved_metrics"]
    own = moved[moved["partner_id"] == "A"]
    assert own[["metric", "value_before", "value_now"]].values.tolist() == [["certified", 1, 2]]


def test_every_code_is_told_in_the_docs(repository: Path) -> None:
    page = (repository / "docs" / "roadmaps.md").read_text("utf-8")
    assert [code for code in CODES if f"`{code}`" not in page] == []


def test_the_reviews_of_a_channel_explain_their_changes(scored_channel: Path) -> None:
    from tests.channel import AS_OF as NOW
    from tierwise.store import read_table

    found = read_table(scored_channel / "output", NOW, "changes")
    split = found[found["code"] == "split"]
    assert len(split) > 100
    assert (split["from_policy"] != 0).any()  # the policy of the demo changes between its two reviews
    gaps = split[list(PARTS)].sum(axis=1) - (split["value_now"] - split["value_before"])
    assert (gaps.abs() <= 1e-9 * np.maximum(1.0, split["value_now"].abs())).all()
