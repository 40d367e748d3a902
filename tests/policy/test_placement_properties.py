"""Placement on random policies and random partners: the invariants of METHODS section 4, and a plain reading as oracle.

One example is four random ladders (the policy's tiers and three tracks) over the same batch of random partners, so that
125 examples judge 500 random policies. `TIERWISE_EXAMPLES=125` runs them all; by default a few.
"""

import os

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.policy.plain_reading import DOWN, GAIN, KEEP, UP, ladders, place_of
from tierwise.config.policy import Policy
from tierwise.engine import Engine
from tierwise.policy import NO_HISTORY, Placement, move, place

TIERS = ("low", "middle", "high")
TRACKS = ("", "first", "second", "third")
PARTNERS = 40
METRICS = (*UP, *DOWN)
policies = settings(
    max_examples=int(os.environ.get("TIERWISE_EXAMPLES", "12")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # an example is a whole batch: shrinking takes minutes
)
seeds = st.integers(0, 2**32 - 1)


def four_ladders(monotone: bool) -> st.SearchStrategy[list]:
    return st.lists(ladders(monotone), min_size=4, max_size=4)


def policy_of(given_ladders: list) -> Policy:
    written = [
        [
            {"name": name, **({} if rule is None else {"when": rule.written()})}
            for name, rule in zip(TIERS, ladder, strict=True)
        ]
        for ladder in given_ladders
    ]
    tracks = {name: {"tiers": tiers} for name, tiers in zip(TRACKS[1:], written[1:], strict=True)}
    scores = {"value": {"max": 20, "components": [{"name": name, "of": name, "full_at": 8, "max": 10} for name in UP]}}
    head = {"policy": "random", "effective_from": "2026-01-01", "owner": "tests", "reason": "random"}
    return Policy.model_validate({**head, "tracks": tracks, "tiers": written[0], "scores": scores})


def partners(seed: int) -> pd.DataFrame:
    """Random figures in halves, a tenth of them unknown, many exactly at thresholds and at their bands."""
    random = np.random.default_rng(seed)
    figures = (
        random.integers(-4, 21, (PARTNERS, len(METRICS))) / 2 * random.choice([1.0, 1.0, 1.05, 0.9, 1.1], (PARTNERS, 1))
    )
    figures = np.round(figures, 6)
    figures[random.uniform(size=figures.shape) < 0.1] = np.nan
    frame = pd.DataFrame(figures, columns=list(METRICS))
    frame.insert(0, "partner_id", [f"P{number:03d}" for number in range(PARTNERS)])
    return frame


def facts_of(inputs: pd.DataFrame) -> list[dict]:
    rows = inputs[list(METRICS)].to_dict(orient="records")
    return [{name: None if np.isnan(value) else value for name, value in row.items()} for row in rows]


def ranks(placement: Placement, variant: str) -> dict[str, list[int]]:
    return {track: placement.ranks(track)[variant].tolist() for track in TRACKS}


@policies
@given(four_ladders(monotone=False), seeds)
def test_tiers_are_those_of_a_plain_reading(engine: Engine, given_ladders: list, seed: int) -> None:
    inputs = partners(seed)
    placement = place(engine, policy_of(given_ladders), inputs)
    for track, ladder in zip(TRACKS, given_ladders, strict=True):
        expected = [place_of(ladder, facts) for facts in facts_of(inputs)]
        assert placement.ranks(track)["eligible"].tolist() == expected, track


@policies
@given(four_ladders(monotone=True), seeds)
def test_bands_move_thresholds_exactly(engine: Engine, given_ladders: list, seed: int) -> None:
    """At the band's edge itself, too: a threshold of 10 asks for 10.5 to rise and 9 to stay, not a hair more."""
    inputs = partners(seed)
    placement = place(engine, policy_of(given_ladders), inputs)
    for track, ladder in zip(TRACKS, given_ladders, strict=True):
        facts = facts_of(inputs)
        found = placement.ranks(track)
        assert found["gain"].tolist() == [place_of(ladder, fact, GAIN, True) for fact in facts], track
        assert found["keep"].tolist() == [place_of(ladder, fact, KEEP, False) for fact in facts], track
        assert (found["gain"] <= found["eligible"]).all()
        assert (found["eligible"] <= found["keep"]).all()


@policies
@given(four_ladders(monotone=True), seeds)
def test_better_figures_never_lower_a_tier_and_unknown_ones_never_raise_it(
    engine: Engine, given_ladders: list, seed: int
) -> None:
    random = np.random.default_rng(seed)
    inputs = partners(seed)
    better, unknown = (inputs.assign(partner_id=inputs["partner_id"] + suffix) for suffix in ("-better", "-unknown"))
    better[list(UP)] += random.integers(0, 4, (PARTNERS, len(UP))) / 2
    better[list(DOWN)] -= random.integers(0, 4, (PARTNERS, len(DOWN))) / 2
    unknown[list(METRICS)] = unknown[list(METRICS)].mask(random.uniform(size=(PARTNERS, len(METRICS))) < 0.3)
    placement = place(engine, policy_of(given_ladders), pd.concat([inputs, better, unknown]))
    kind = placement.tiers["partner_id"].str.extract(r"-(\w+)$")[0].fillna("as is").to_numpy()
    for track in TRACKS:
        for variant in ("eligible", "gain", "keep"):
            found = placement.ranks(track)[variant]
            assert (found[kind == "better"] >= found[kind == "as is"]).all(), (track, variant)
            assert (found[kind == "unknown"] <= found[kind == "as is"]).all(), (track, variant)


@policies
@given(four_ladders(monotone=False), seeds)
def test_order_of_rows_is_irrelevant(engine: Engine, given_ladders: list, seed: int) -> None:
    policy, inputs = policy_of(given_ladders), partners(seed)
    first, second = (place(engine, policy, rows) for rows in (inputs, inputs.sample(frac=1, random_state=seed)))
    pd.testing.assert_frame_equal(first.tiers, second.tiers)
    pd.testing.assert_frame_equal(first.criteria, second.criteria)
    pd.testing.assert_frame_equal(first.components, second.components)


@policies
@given(four_ladders(monotone=False), seeds)
def test_criteria_say_what_decided(engine: Engine, given_ladders: list, seed: int) -> None:
    """The gap is 0 exactly where a criterion is met, unknown where its value is, and what is missing elsewhere."""
    placement = place(engine, policy_of(given_ladders), partners(seed))
    criteria = placement.criteria
    met, gap = criteria["met"], criteria["gap"]
    assert set(met) <= {"true", "false", "unknown"}
    assert (gap[met == "true"] == 0).all()
    assert gap[(met == "unknown") & criteria["value"].isna()].isna().all()
    missing = criteria[(met == "false") & criteria["operator"].isin([">=", "<="])]
    short = (missing["threshold"] - missing["value"]) * np.where(missing["operator"] == ">=", 1, -1)
    assert np.allclose(missing["gap"], np.maximum(short, 0), equal_nan=True)
    keys = criteria[["partner_id", "tier", "criterion"]]
    assert not keys.duplicated().any()
    assert keys.equals(keys.sort_values(["partner_id", "tier", "criterion"], kind="stable"))


@policies
@given(four_ladders(monotone=True), seeds)
def test_scores_are_the_sum_of_their_components(engine: Engine, given_ladders: list, seed: int) -> None:
    placement = place(engine, policy_of(given_ladders), partners(seed))
    sums = placement.components.groupby("partner_id")["points"].agg(lambda points: points.sum(skipna=False))
    scores = placement.tiers.set_index("partner_id")["value"]
    assert np.allclose(scores, sums.reindex(scores.index), rtol=0, atol=1e-9, equal_nan=True)
    assert scores.dropna().between(0, 20).all()


@policies
@given(four_ladders(monotone=True), seeds)
def test_first_placement_is_the_eligible_tier(engine: Engine, given_ladders: list, seed: int) -> None:
    policy = policy_of(given_ladders)
    placement = place(engine, policy, partners(seed))
    moved = move(policy, placement, NO_HISTORY, pd.Timestamp("2026-06-30").date())
    assert set(moved["action"]) == {"place"}
    pd.testing.assert_series_equal(moved["recommended_tier"], placement.tiers["eligible_tier"], check_names=False)
