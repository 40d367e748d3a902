"""Models trained again: drawn partners, light hyper-parameters, kept with the version and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tierwise.config.load import load_workspace
from tierwise.config.model_spec import PotentialSpec, TreeSpec
from tierwise.jobs.stability import RETRAINS, drawn_partners, lighter, retrained_models
from tierwise.potential import predict
from tierwise.tracking import Registry


def _snapshots(partners: int = 30) -> pd.DataFrame:
    rows = [(f"P{n:02d}", day, n) for day in pd.to_datetime(["2026-03-31", "2026-06-30"]) for n in range(partners)]
    return pd.DataFrame(rows, columns=["partner_id", "as_of", "a"]).astype({"partner_id": "str"})


def test_a_drawn_partner_keeps_all_its_snapshots_and_a_second_draw_is_another_partner() -> None:
    drawn = drawn_partners(_snapshots(), np.random.default_rng(1))
    assert drawn.groupby("partner_id").size().unique().tolist() == [2]
    assert drawn["partner_id"].nunique() == 30
    names = drawn["partner_id"].str.split("#").str[0]
    assert names.nunique() < 30
    assert drawn[["as_of", "partner_id"]].duplicated().sum() == 0
    assert (names.str[1:].astype(int) == drawn["a"]).all()


def test_the_same_seed_draws_the_same() -> None:
    one, other = (drawn_partners(_snapshots(), np.random.default_rng(7)) for _ in range(2))
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(("trees", "fewer"), [(200, 66), (90, 40), (20, 20)])
def test_light_models_keep_the_sum_of_their_steps(trees: int, fewer: int) -> None:
    spec = PotentialSpec(trees=TreeSpec(trees=trees, learning_rate=0.05))
    light = lighter(spec)
    assert light.trees.trees == fewer
    assert light.trees.trees * light.trees.learning_rate == pytest.approx(trees * 0.05)
    assert light.gate.bootstraps <= spec.gate.bootstraps


def test_a_version_holds_its_retrained_models_and_they_differ(trained_channel: Path) -> None:
    bundle = Registry.of(load_workspace(trained_channel)).load_champion().bundle
    models = retrained_models(bundle)
    assert len(models) == RETRAINS
    texts = {str(model.cold_start.base) for model in models}
    assert len(texts) > 1
    assert all(callable(predict) and model.features.names for model in models)


def test_a_version_of_before_has_none() -> None:
    from types import SimpleNamespace

    assert retrained_models(SimpleNamespace(group=lambda _: {})) == ()  # type: ignore[arg-type]
