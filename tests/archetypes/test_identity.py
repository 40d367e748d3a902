from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from tests.archetypes.mixtures import FEATURES, QUICK, mixture
from tierwise.archetypes import assign, fit
from tierwise.archetypes.assign import remembered, settle
from tierwise.archetypes.identity import first_identity, match


def test_a_first_fit_numbers_its_archetypes():
    identity = first_identity(3)
    assert identity.ids == ("A1", "A2", "A3")
    assert identity.next_number == 4
    assert set(identity.events["event"]) == {"new"}


def test_ids_follow_the_partners_not_the_order_of_the_clusters():
    old, new = np.repeat([0, 1, 2], 20), np.repeat([2, 0, 1], 20)
    assert match(old, new, ("A1", "A2", "A3"), 3, 4).ids == ("A2", "A3", "A1")


def test_a_split_gives_the_smaller_half_a_new_id():
    old, new = np.repeat([0, 1], [30, 20]), np.repeat([0, 1, 2], [20, 10, 20])
    identity = match(old, new, ("A1", "A2"), 3, 3)
    assert identity.ids == ("A1", "A3", "A2")
    event = identity.events.set_index("archetype_id").loc["A3"]
    assert (event["event"], event["other_id"], event["share"]) == ("split", "A1", 1.0)


def test_a_merged_archetype_is_retired_into_the_other():
    old, new = np.repeat([0, 1, 2], [30, 20, 20]), np.repeat([0, 1], [50, 20])
    identity = match(old, new, ("A1", "A2", "A3"), 2, 4)
    assert identity.ids == ("A1", "A3")
    event = identity.events.set_index("archetype_id").loc["A2"]
    assert (event["event"], event["other_id"]) == ("merged", "A1")


def test_a_scattered_archetype_is_retired_and_its_id_never_used_again():
    old = np.repeat([0, 1, 2], [30, 30, 9])
    new = np.concatenate((np.repeat([0, 1], [30, 30]), np.tile([0, 1, 2], 3)))
    identity = match(old, np.concatenate((new, [])).astype(int), ("A1", "A2", "A7"), 2 + 1, 8)
    assert identity.next_number in (8, 9)
    assert "A7" not in identity.ids or identity.ids.count("A7") == 1
    assert set(identity.events["event"]) <= {"kept", "new", "split", "merged", "retired"}


def test_without_common_partners_everything_is_new():
    nobody = np.zeros(0, dtype=np.int64)
    identity = match(nobody, nobody, (), 2, 5)
    assert identity.ids == ("A5", "A6")
    assert identity.events["event"].tolist() == ["new", "new"]


def test_a_partner_stays_unless_its_archetype_is_clearly_farther():
    away = np.array([[1.0, 1.19], [1.0, 1.21], [1.0, 5.0]])
    np.testing.assert_array_equal(settle(away, np.array([1, 1, -1]), 1.2), [1, 0, 0])


def test_memory_of_a_retired_archetype_is_no_memory():
    memory = pd.DataFrame({"partner_id": ["a", "b"], "archetype_id": ["A1", "A9"]})
    np.testing.assert_array_equal(remembered(memory, pd.Series(["b", "a", "c"]), ("A1", "A2")), [-1, 0, -1])


@pytest.fixture(scope="module")
def retrains() -> list[tuple[pd.DataFrame, object]]:
    """Eight retrains on partners whose metrics drift a little each quarter."""
    rows, rng = mixture(), np.random.default_rng(4)
    model, found = None, []
    for _ in range(8):
        model = fit(rows, FEATURES, QUICK, 1, previous=model)
        found.append((assign(model, rows), model))
        noise = {
            name: rows[name] * np.exp(rng.normal(0, 0.1, len(rows))) for name in FEATURES.names if name != "growth"
        }
        rows = rows.assign(**noise)
    return found


def test_few_partners_change_archetype_over_retrains(retrains: list[tuple[pd.DataFrame, object]]):
    labels = [frame["archetype_id"] for frame, _ in retrains]
    changes = [float((first != second).mean()) for first, second in pairwise(labels)]
    assert np.mean(changes) <= 0.12


def test_names_and_ids_stay_while_they_are_true(retrains: list[tuple[pd.DataFrame, object]]):
    first, last = ({a.archetype_id: a.name for a in model.archetypes} for _, model in (retrains[0], retrains[-1]))
    kept = set(first) & set(last)
    assert len(kept) >= 3
    assert sum(first[name] == last[name] for name in kept) >= len(kept) - 1


def test_another_number_of_archetypes_keeps_the_ids_of_those_that_remain():
    before = mixture(kinds=("volume", "integrator", "cloud"))
    model = fit(before, FEATURES, QUICK, 1)
    after = pd.concat([before, mixture(80, 9, ("referral",)).assign(partner_id=lambda f: "N" + f["partner_id"])])
    again = fit(after.reset_index(drop=True), FEATURES, QUICK, 1, previous=model)
    assert set(model.ids) <= set(again.ids)
    assert len(again.ids) == 4
    assert set(again.tables["events"]["event"]) == {"kept", "new"}


def test_a_previous_version_without_archetypes_is_no_obstacle():
    none = fit(mixture(20), FEATURES, QUICK, 1)
    model = fit(mixture(), FEATURES, QUICK, 1, previous=none)
    assert model.ids == ("A1", "A2", "A3", "A4")
