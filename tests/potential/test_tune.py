import pandas as pd
import pytest
from pydantic import ValidationError

from tests.potential.channel import AS_OF, FEATURES, QUARTER, QUICK, make_snapshots
from tierwise.config.model_spec import PotentialSpec
from tierwise.config.tuning_spec import SearchRange, TuningSpec
from tierwise.potential import Tuning, tune
from tierwise.potential.folds import inner_folds
from tierwise.potential.snapshots import closed
from tierwise.potential.tune import COMPARISON_COLUMNS, REASONS

SEARCH = {"trees.trees": SearchRange(low=5, high=60), "glm.penalty": SearchRange(low=0.001, high=10.0, log=True)}


def spec(**tuning: object) -> PotentialSpec:
    return QUICK.model_copy(update={"tuning": TuningSpec.model_validate({"search": SEARCH, **tuning})})


@pytest.fixture(scope="module")
def snapshots() -> pd.DataFrame:
    return make_snapshots(partners=120, reviews=16)


@pytest.fixture(scope="module")
def found(snapshots: pd.DataFrame) -> Tuning:
    return tune(snapshots, FEATURES, spec(), AS_OF, 1, 6)


def test_every_trial_is_kept_the_default_first(found: Tuning):
    assert found.trials["trial"].tolist() == list(range(7))
    assert found.trials.columns.tolist() == ["trial", "gini", *SEARCH]
    assert found.trials.loc[0, "trees.trees"] == QUICK.trees.trees
    assert found.trials.loc[1:, "trees.trees"].between(5, 60).all()
    assert found.trials.loc[1:, "glm.penalty"].between(0.001, 10).all()
    assert found.comparison.columns.tolist() == list(COMPARISON_COLUMNS)
    assert found.reason in REASONS


def test_the_same_seed_gives_the_same_search(snapshots: pd.DataFrame, found: Tuning):
    again = tune(snapshots, FEATURES, spec(), AS_OF, 1, 6)
    pd.testing.assert_frame_equal(again.trials, found.trials)
    pd.testing.assert_frame_equal(again.comparison, found.comparison)
    assert (again.spec, again.probability) == (found.spec, found.probability)


def test_the_reviews_that_judge_the_model_are_never_touched(snapshots: pd.DataFrame, found: Tuning):
    judged = inner_folds(closed(snapshots, AS_OF), QUICK.gate.origins)[0].origin
    assert (pd.to_datetime(found.comparison["origin"]) + 4 * QUARTER <= judged).all()
    touched = (snapshots["label_until"] > judged) & snapshots["label"].notna()
    other = snapshots.assign(label=snapshots["label"].mask(touched, 12345.0))
    pd.testing.assert_frame_equal(tune(other, FEATURES, spec(), AS_OF, 1, 6).trials, found.trials)


def test_the_later_review_is_not_searched(found: Tuning):
    later = found.comparison["used_for"] == "comparison"
    assert later.tolist() == [False] * (len(later) - 1) + [True]
    searched = found.comparison[~later]
    assert searched["default"].mean() == pytest.approx(found.trials.loc[0, "gini"])
    assert searched["tuned"].mean() == pytest.approx(found.trials["gini"].max())


def test_a_poor_default_is_replaced_and_a_good_one_kept(snapshots: pd.DataFrame):
    trees = QUICK.trees.model_copy(update={"trees": 1})
    poor = spec().model_copy(update={"trees": trees, "glm": QUICK.glm.model_copy(update={"penalty": 50.0})})
    better = tune(snapshots, FEATURES, poor, AS_OF, 1, 8)
    assert (better.accepted, better.reason) == (True, "better")
    assert better.spec.glm.penalty < 50
    assert "tuned hyper-parameters: " in better.sentence
    certain = tune(snapshots, FEATURES, spec(confidence=1.0), AS_OF, 1, 3)
    assert not certain.accepted
    assert certain.spec == spec(confidence=1.0)
    assert certain.sentence.startswith("default hyper-parameters kept: ")


def test_whole_numbers_stay_whole(snapshots: pd.DataFrame):
    tuned = tune(snapshots, FEATURES, spec(confidence=0.01), AS_OF, 2, 4).spec
    assert isinstance(tuned.trees.trees, int)


@pytest.mark.parametrize(
    ("reviews", "search", "reason"), [(5, SEARCH, "too_few_reviews"), (16, {}, "nothing_to_search")]
)
def test_what_cannot_be_searched_keeps_the_default_and_says_why(reviews: int, search: object, reason: str):
    default = spec(search=search)
    result = tune(make_snapshots(partners=60, reviews=reviews), FEATURES, default, AS_OF, 1, 5)
    assert (result.accepted, result.reason, result.spec, result.probability) == (False, reason, default, None)
    assert REASONS[reason] in result.sentence
    assert result.trials.empty


def test_very_many_rows_are_thinned_by_partner(snapshots: pd.DataFrame):
    few = tune(snapshots, FEATURES, spec(rows=100), AS_OF, 1, 1)
    assert few.reason in REASONS
    assert len(few.trials) == 2


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"trees.leafs": {"low": 2, "high": 9}}, "did you mean 'trees.leaves'"),
        ({"trees.threads": {"low": 1, "high": 2}}, "trees.threads"),
        ({"gate.confidence": {"low": 0.1, "high": 0.9}}, "gate.confidence"),
        ({"trees.leaves": {"low": 2.5, "high": 9}}, "whole numbers"),
        ({"trees.depth": {"low": 2, "high": 30}}, "less than or equal to 6"),
        ({"trees.ridge": {"low": 3, "high": 1}}, "not below 'high'"),
        ({"trees.ridge": {"low": 0, "high": 1, "log": True}}, "log scale"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(search: object, message: str):
    with pytest.raises(ValidationError, match=message):
        PotentialSpec.model_validate({"tuning": {"search": search}})
