from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from tierwise.config.catalog import Metric
from tierwise.config.model_spec import ArchetypeSpec, Feature, ModelSpec, TreeSpec, feature_set


def test_the_shipped_file_says_the_defaults_in_full(repository: Path):
    shipped = yaml.safe_load((repository / "models" / "default.yaml").read_text())
    assert ModelSpec.model_validate(shipped) == ModelSpec()
    assert shipped == ModelSpec().model_dump(mode="json")


def metric(**keys: object) -> Metric:
    return Metric.model_validate({"from": "deals", "value": "sum(amount)", "window": "4 quarters", **keys})


def test_features_come_from_the_catalog_with_family_and_direction():
    catalog = {
        "revenue_4q": metric(title="Won revenue", unit="USD", direction="up", family="sales"),
        "rank": metric(feature=False),
    }
    found = feature_set(catalog, "revenue_4q", ("region",), ("region",))
    assert found.metrics == (Feature("revenue_4q", "Won revenue", "USD", "sales", "up"),)
    assert (found.target, found.target_unit, found.names) == ("revenue_4q", "USD", ("revenue_4q",))


def test_an_unknown_target_is_an_error():
    with pytest.raises(KeyError):
        feature_set({"a": metric()}, "b")


@pytest.mark.parametrize(
    "keys", [{"k_min": 5, "k_max": 3}, {"named_from": 0.5, "tentative_from": 0.7}, {"silhouette": 1}]
)
def test_settings_that_contradict_one_another_are_refused(keys: dict[str, float]):
    with pytest.raises(ValidationError):
        ArchetypeSpec.model_validate(keys)


def test_trees_deeper_than_contributions_can_bear_are_refused():
    with pytest.raises(ValidationError):
        TreeSpec(depth=12)
