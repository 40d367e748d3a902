"""Contributions add up to the potential against either baseline, and a fault in them stops the run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from tests.potential.channel import AS_OF, FEATURES, QUICK, current, make_snapshots
from tierwise import potential
from tierwise.errors import Refused
from tierwise.explain.kernel import split_to_background, split_to_training
from tierwise.potential import Basis, PotentialModel
from tierwise.potential.trees import raw_parts

Split = tuple[float, np.ndarray]
SNAPSHOTS = make_snapshots(partners=120, reviews=6)


def by_kernel(text: str, matrix: np.ndarray, background: np.ndarray | None) -> Split:
    split = split_to_training(text, matrix) if background is None else split_to_background(text, matrix, background)
    return split.base, split.parts


@pytest.fixture(scope="module")
def model() -> PotentialModel:
    return potential.train(SNAPSHOTS, FEATURES, QUICK, AS_OF, 3)


@pytest.fixture(scope="module")
def basis(model: PotentialModel) -> Basis:
    rows = current(SNAPSHOTS)
    return potential.basis_of(model, rows.assign(tenure_days=rows["tenure_days"].where(rows.index % 6 > 0, 20.0)))


def _of(basis: Basis, source: str) -> np.ndarray:
    return np.flatnonzero(basis.sources == source)


def test_the_kernel_and_lightgbm_give_the_same_contributions(basis: Basis) -> None:
    ours, theirs = (potential.split_to_channel(basis, split).rows for split in (by_kernel, raw_parts))
    pd.testing.assert_frame_equal(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("source", ["model", "cold_start"])
def test_contributions_to_peers_add_up_to_their_mean_log_potential(basis: Basis, source: str) -> None:
    everyone = _of(basis, source)
    assert len(everyone) >= 8
    members, peers = everyone[:4], everyone[4:]
    found = potential.split_to_peers(basis, [(members, peers)], by_kernel)
    base = found.additivity["base"]
    assert base.to_numpy() == pytest.approx(basis.log_potential[peers].mean(), abs=1e-12)
    sums = found.rows.groupby("partner_id")["contribution"].sum()
    np.testing.assert_allclose(sums + base.to_numpy(), basis.log_potential[members], rtol=0, atol=1e-12)
    assert (found.additivity["additivity_error"] <= 1e-12).all()


def test_persistence_compares_with_what_peers_sold() -> None:
    model = potential.train(SNAPSHOTS, FEATURES, QUICK, SNAPSHOTS["as_of"].min(), 3)
    assert model.source == "persistence"
    basis = potential.basis_of(model, current(SNAPSHOTS))
    everyone = _of(basis, "persistence")
    found = potential.split_to_peers(basis, [(everyone[:3], everyone[3:])], by_kernel)
    assert set(found.rows["feature"]) == {FEATURES.target}
    expected = basis.log_potential[everyone[:3]] - basis.log_potential[everyone[3:]].mean()
    np.testing.assert_allclose(found.rows["contribution"], expected, rtol=0, atol=1e-12)


def test_each_partner_may_have_its_own_peers(basis: Basis) -> None:
    known = _of(basis, "model")
    groups = [(known[:1], known[10:30]), (known[1:2], known[30:])]
    both = potential.split_to_peers(basis, groups, by_kernel).rows
    alone = potential.split_to_peers(basis, groups[1:], by_kernel).rows
    second = basis.rows["partner_id"].iloc[known[1]]
    pd.testing.assert_frame_equal(both[both["partner_id"] == second].reset_index(drop=True), alone)


def test_the_rows_of_some_partners_are_theirs_among_all(basis: Basis) -> None:
    found = potential.split_to_channel(basis, by_kernel)
    some = basis.rows["partner_id"].iloc[[1, 2, 40]]
    expected = found.rows[found.rows["partner_id"].isin(some)].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.rows_of(some), expected)
    nobody = found.rows_of(some.iloc[:0])
    assert nobody.empty
    assert nobody.dtypes.to_dict() == found.rows.dtypes.to_dict()


def test_a_potential_that_is_known_already_is_what_is_explained(basis: Basis) -> None:
    told = basis.rows.assign(potential=np.exp(basis.log_potential))
    np.testing.assert_allclose(potential.basis_of(basis.model, told).log_potential, basis.log_potential, atol=1e-12)
    wrong = potential.basis_of(basis.model, told.assign(potential=told["potential"] * 2))
    with pytest.raises(Refused, match="miss their potential"):
        potential.split_to_channel(wrong, by_kernel)


def test_no_peers_give_no_rows(basis: Basis) -> None:
    found = potential.split_to_peers(basis, [], by_kernel)
    assert found.rows.empty
    assert found.additivity.empty


def test_peers_of_another_source_are_refused(basis: Basis) -> None:
    with pytest.raises(ValueError, match="one potential source"):
        potential.split_to_peers(basis, [(_of(basis, "model")[:1], _of(basis, "cold_start"))], by_kernel)


def _planted(fault: Callable[[float, np.ndarray], Split]) -> potential.TreeSplit:
    return lambda text, matrix, background: fault(*by_kernel(text, matrix, background))


@pytest.mark.parametrize("size", [1e-8, 0.3, np.nan])
def test_a_fault_in_one_contribution_stops_the_run_and_names_the_partner(basis: Basis, size: float) -> None:
    def fault(base: float, parts: np.ndarray) -> Split:
        parts = parts.copy()
        parts[2, 0] += size
        return base, parts

    wrong = basis.rows["partner_id"].iloc[_of(basis, "model")[2]]
    with pytest.raises(Refused, match=r"1 of \d+ partners miss their potential") as caught:
        potential.split_to_channel(basis, _planted(fault))
    assert caught.value.faults[0].examples == (wrong,)


def test_a_fault_in_the_base_of_peers_stops_the_run(basis: Basis) -> None:
    known = _of(basis, "model")
    shifted = _planted(lambda base, parts: (base + 0.01, parts - 0.01 / parts.shape[1]))
    with pytest.raises(Refused, match="misses their mean log potential"):
        potential.split_to_peers(basis, [(known[:3], known[3:])], shifted)


def test_lightgbm_itself_knows_no_peers(basis: Basis) -> None:
    known = _of(basis, "model")
    with pytest.raises(ValueError, match="training rows only"):
        potential.split_to_peers(basis, [(known[:3], known[3:])], raw_parts)
