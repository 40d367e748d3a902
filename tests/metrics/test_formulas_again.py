"""Formulas computed again after their metrics moved give what computing from the start gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.jobs.tiny_workspace import AS_OF, METRICS, accepted, deal, write_workspace
from tierwise.metrics import compute
from tierwise.metrics.formulas_again import compute_again, dependent_formulas, ranks_partners
from tierwise.metrics.reading import parse_catalog

FORMULAS = {
    "per_deal": {"formula": "revenue_4q / nullif(deals_4q, 0)", "missing": "unknown"},
    "double": {"formula": "2 * per_deal + certified", "missing": 0},
    "rank_of": {"formula": "percent_rank() over (partition by region order by double)"},
    "other": {"formula": "tenure_days / 365"},
}


def _workspace(folder: Path):
    partners = [{"partner_id": name, "joined_on": "2025-01-01", "region": "N"} for name in "ABC"]
    deals = [deal(name, "2026-08-01", amount) for name, amount in (("A", 100), ("A", 300), ("B", 50))]
    return write_workspace(folder, {"partners": partners, "deals": deals}, METRICS | FORMULAS)


def test_only_what_depends_on_a_moved_metric_is_computed_in_order(tmp_path: Path) -> None:
    catalog = parse_catalog(_workspace(tmp_path))
    assert [one.name for one in dependent_formulas(catalog, {"revenue_4q"})] == ["per_deal", "double", "rank_of"]
    assert [one.name for one in dependent_formulas(catalog, {"certified"})] == ["double", "rank_of"]
    assert dependent_formulas(catalog, {"nothing"}) == ()
    assert [ranks_partners(one) for one in dependent_formulas(catalog, {"certified"})] == [False, True]


def test_unchanged_rows_stay_as_they_were_and_moved_ones_follow(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path)
    with accepted(workspace) as engine:
        rows = compute(engine, workspace, [AS_OF])
        formulas = dependent_formulas(parse_catalog(workspace), set(METRICS))
        pd.testing.assert_frame_equal(compute_again(engine, workspace, rows, formulas, {}), rows)
        moved = rows.assign(revenue_4q=[400.0, 5_000.0, 0.0], certified=[0.0, 0.0, 7.0])
        again = compute_again(engine, workspace, moved, formulas, {})
    assert again["per_deal"].tolist()[:2] == [200, 5_000]
    assert np.isnan(again["per_deal"].iloc[2])
    assert again["double"].tolist() == [400, 10_000, 0]  # an unknown deal size makes it unknown, and unknown counts 0
    assert again["rank_of"].tolist() == [0.5, 1.0, 0.0]


def test_a_formula_that_was_moved_itself_keeps_its_value_and_passes_it_on(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path)
    with accepted(workspace) as engine:
        rows = compute(engine, workspace, [AS_OF])
        formulas = dependent_formulas(parse_catalog(workspace), {"per_deal", "revenue_4q"})
        given = {"per_deal": np.array([np.nan, 999.0, np.nan])}
        again = compute_again(engine, workspace, rows, formulas, given)
    assert again["per_deal"].tolist()[:2] == [200, 999]
    assert again["double"].tolist()[:2] == [400, 1_998]


def test_nothing_to_compute_leaves_the_rows_alone(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path)
    with accepted(workspace) as engine:
        rows = compute(engine, workspace, [AS_OF])
        assert compute_again(engine, workspace, rows, (), {}) is rows
