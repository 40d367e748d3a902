"""The planner reads every effect from one fit: it must be the fit that `analyse` makes of the raised outcome."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.pilots.known_truth import settings as reading
from tierwise import pilots
from tierwise.config.pilot import PowerSettings
from tierwise.pilots.power_simulation import detectable_by_simulation, simulate
from tierwise.pilots.regression import choose_design, fit, raised_fit
from tierwise.pilots.units import fine_blocks

UNITS = 120
EFFECTS = (0.0, 0.2, 1.5)


@pytest.fixture
def channel() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    past = rng.lognormal(0, 0.7, UNITS)
    return past * rng.lognormal(0, 0.5, UNITS), past[:, None]


def differences(outcome, covariates, arm, clusters, groups):
    """Where the one fit, read at an effect, is not the fit of the outcome raised by it: (effect, part) for each."""
    design = choose_design(arm, int(arm.max()), covariates, clusters)
    gain = np.where(arm > 0, outcome, 0.0)
    estimates, variances, degrees = raised_fit(design, outcome, gain, groups)
    found = []
    for effect in EFFECTS:
        fitted = fit(design, outcome + effect * gain, groups)
        parts = {
            "estimate": (estimates @ [1, effect], fitted.coefficients[1]),
            "variance": (variances @ [1, 2 * effect, effect**2], fitted.covariance[1, 1]),
            "degrees": (degrees, fitted.degrees[1]),
        }
        found += [(effect, part) for part, (read, refitted) in parts.items() if read != pytest.approx(refitted)]
    return found


@pytest.mark.parametrize("arms", [2, 3])
def test_single_units(channel, arms):
    outcome, covariates = channel
    assert differences(outcome, covariates, np.arange(UNITS) % arms, None, None) == []


@pytest.mark.parametrize("clusters", [6, 24])
def test_clusters(channel, clusters):
    outcome, covariates = channel
    codes = np.random.default_rng(1).integers(0, clusters, UNITS)
    assert differences(outcome, covariates, codes % 2, codes, codes) == []


def test_matched_pairs(channel):
    outcome, covariates = channel
    assert differences(outcome, covariates, np.arange(UNITS) % 2, None, np.arange(UNITS) // 2) == []


@pytest.mark.parametrize(
    ("blocks", "drawn", "fine"),
    [(60, 120, True), (12, 120, True), (11, 120, False), (9, 18, False)],
    ids=["pairs", "tens", "elevens", "few"],
)
def test_small_and_many_blocks_are_fine(blocks, drawn, fine):
    codes = np.arange(drawn) % blocks
    assert (fine_blocks(codes, drawn) is codes) == fine


def test_errors_of_matched_pairs_are_those_of_their_differences(channel):
    outcome, _ = channel
    pair = np.arange(UNITS) // 2
    ranked = np.sort(outcome)
    frame = pd.DataFrame({"partner_id": np.arange(UNITS), "arm": np.resize(["control", "mdf"], UNITS)})
    [row] = pilots.analyse(frame.assign(revenue=ranked, block=pair), reading(pair="block")).results
    apart = ranked[1::2] - ranked[::2]
    assert row.effect().estimate == pytest.approx(apart.mean())
    assert row.effect().standard_error == pytest.approx(apart.std(ddof=1) / np.sqrt(len(apart)))
    assert row.effect().degrees == pytest.approx(len(apart) - 1)
    assert row.method == "difference in means, CR2 by block, t with Bell-McCaffrey degrees of freedom"


def test_large_blocks_are_strata(channel):
    outcome, _ = channel
    frame = pd.DataFrame({"partner_id": np.arange(UNITS), "arm": np.resize(["control", "mdf"], UNITS)})
    frame = frame.assign(revenue=outcome, block=np.arange(UNITS) // 60)
    [with_blocks] = pilots.analyse(frame, reading(pair="block")).results
    [plain] = pilots.analyse(frame, reading()).results
    assert with_blocks.effect() == plain.effect()


def history(channel) -> pd.DataFrame:
    outcome, covariates = channel
    rows = pd.DataFrame({"partner_id": np.arange(UNITS), "revenue": outcome, "past": covariates[:, 0]})
    return rows.assign(distributor=np.arange(UNITS) // 5, region=np.resize(["n", "s"], UNITS))


def ask(**more: object) -> PowerSettings:
    given = {"outcome": "revenue", "arms": {"control": 1, "mdf": 1}, "effect": 0.2, "simulations": 200, **more}
    return PowerSettings.model_validate(given)


def test_matching_is_planned_as_it_will_be_drawn(channel):
    """Pairs of partners alike in the year before leave less to chance, as a covariate does."""
    rows = history(channel)
    plain = simulate(rows, ask(), adjusted=False)
    matched = simulate(rows, ask(match_on=("past",), strata=("region",)), adjusted=False)
    assert detectable_by_simulation(matched, 0.8) < 0.9 * detectable_by_simulation(plain, 0.8)
    assert matched.share_detected(0.0) < 0.1


@pytest.mark.parametrize("more", [{}, {"match_on": ("past",)}], ids=["alone", "matched"])
def test_whole_clusters_take_part(channel, more):
    found = simulate(history(channel), ask(cluster="distributor", units=60, **more), adjusted=False)
    assert set(found.units) == {60}
    assert found.degrees.max() <= 10 + 1e-9


def test_power_grows_with_the_effect_up_to_what_is_promised(channel):
    found = simulate(history(channel), ask(), adjusted=False)
    least = detectable_by_simulation(found, 0.8)
    assert found.share_detected(least) >= 0.8 > found.share_detected(0.99 * least)
