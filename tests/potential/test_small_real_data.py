"""Few partners of real channels, and lopsided sources: trained without a failure, with notes on what could not be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.potential.channel import AS_OF, FEATURES, current, make_snapshots
from tests.potential.rfm import Events, features_of, read_adventureworks, read_olist
from tierwise import archetypes
from tierwise.config.model_spec import ArchetypeSpec, GateSpec, PotentialSpec, TreeSpec
from tierwise.potential import predict, train
from tierwise.potential.model import DIAGNOSTICS, PotentialModel

LIGHT = PotentialSpec(trees=TreeSpec(trees=20, threads=1), gate=GateSpec(bootstraps=50))
QUICK = ArchetypeSpec(k_max=3, bootstraps=3, null_draws=9, starts=3)
DAYS = {"olist": ["2017-03-31", "2017-06-30", "2017-09-30", "2017-12-31"], "adventureworks": [
    "2012-03-31", "2012-09-30", "2012-12-31", "2013-03-31", "2013-05-31"]}  # fmt: skip
READ = {"olist": read_olist, "adventureworks": read_adventureworks}


def few_partners(events: Events, partners: int) -> Events:
    """A seeded draw of partners with all their events."""
    names = np.sort(events.rows["partner_id"].unique())
    kept = np.random.default_rng(partners).choice(names, min(partners, len(names)), replace=False)
    return Events(events.rows[events.rows["partner_id"].isin(kept)].reset_index(drop=True), events.horizon)


def check_told(model: PotentialModel, rows: pd.DataFrame) -> None:
    """Everyone has a finite potential inside an interval, and every refusal is said."""
    found = predict(model, rows)
    assert np.isfinite(found["potential"]).all()
    known = found.dropna(subset=["potential_low"])
    assert (known["potential_low"] <= known["potential"]).all()
    assert (known["potential"] <= known["potential_high"]).all()
    assert set(model.diagnostics["code"]) <= set(DIAGNOSTICS)
    assert model.gate.accepted or "gate_closed" in set(model.diagnostics["code"])


@pytest.mark.parametrize("source", sorted(READ))
@pytest.mark.parametrize("partners", [60, 500])
def test_a_small_part_of_a_real_channel_is_trained_or_says_why_not(
    source: str, partners: int, shared_data: Path
) -> None:
    snapshots = few_partners(READ[source](shared_data), partners).snapshots(DAYS[source])
    day = snapshots["as_of"].max()
    features, rows = features_of(snapshots), snapshots[snapshots["as_of"] == day].reset_index(drop=True)
    check_told(train(snapshots, features, LIGHT, day, 1), rows)
    found = archetypes.fit(rows, features, QUICK, 1)
    assert found.supported or found.sentence
    assert len(archetypes.assign(found, rows)) == len(rows)


def test_a_channel_with_one_dominant_partner_is_trained() -> None:
    snapshots = make_snapshots(partners=60, reviews=8)
    giant = snapshots["partner_id"] == snapshots["partner_id"].min()
    amounts = ["label", "persistence", FEATURES.target]
    lopsided = snapshots.assign(
        **{name: snapshots[name].where(~giant, snapshots[name] * 1e6 + 1e9) for name in amounts}
    )
    check_told(train(lopsided, FEATURES, LIGHT, AS_OF, 1), current(lopsided))


def test_a_source_of_five_rows_keeps_persistence_and_finds_no_archetypes() -> None:
    snapshots = make_snapshots(partners=5, reviews=1)
    model, rows = train(snapshots, FEATURES, LIGHT, AS_OF, 1), current(snapshots)
    check_told(model, rows)
    assert model.source == "persistence"
    assert archetypes.fit(rows, FEATURES, QUICK, 1).reason == "too_few_partners"
