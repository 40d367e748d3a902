"""What the models may use (features) and how they are fitted (`models/*.yaml`).

Families and monotone directions come from the metric catalog; hyper-parameters live here. The defaults are the
shipped `models/default.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tierwise.config.base import Settings
from tierwise.config.catalog import Direction, Metric
from tierwise.config.leak_spec import LeakSpec
from tierwise.config.tuning_spec import TuningSpec, search_faults, with_values

Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
TweediePower = Annotated[float, Field(gt=1, lt=2)]
LAST_TREE_DEPTH = 6


@dataclass(frozen=True)
class Feature:
    """One metric that a model may use.

    Attributes:
        name: The metric's name, a column of the metric rows.
        title: What people read for it.
        unit: Its unit.
        family: The group it is explained with.
        direction: Whether more is better; a direction makes the model monotone in it.
    """

    name: str
    title: str = ""
    unit: str = ""
    family: str = "other"
    direction: Direction = "none"


@dataclass(frozen=True)
class FeatureSet:
    """Everything about the columns of metric rows that the models must know.

    Attributes:
        metrics: The metrics that models may use, in catalog order.
        target: The metric whose future value is potential; its own value as of the date is persistence.
        target_unit: The unit of the target.
        attributes: Text columns (static or effective-dated) that describe the partner.
        comparable_by: Attributes within which partners are comparable, for headroom.
    """

    metrics: tuple[Feature, ...]
    target: str
    target_unit: str = ""
    attributes: tuple[str, ...] = ()
    comparable_by: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The metric columns, in order."""
        return tuple(feature.name for feature in self.metrics)


def feature_set(
    metrics: Mapping[str, Metric], target: str, attributes: tuple[str, ...] = (), comparable_by: tuple[str, ...] = ()
) -> FeatureSet:
    """Collect the metrics of a catalog that are marked as features.

    Args:
        metrics: The catalog's metrics by name.
        target: The potential metric of the workspace.
        attributes: Partner attributes that are true as of the date.
        comparable_by: Attributes within which partners are comparable.

    Raises:
        KeyError: If the target is not in the catalog.
    """
    chosen = tuple(
        Feature(name, metric.title or name, metric.unit, metric.family, metric.direction)
        for name, metric in metrics.items()
        if metric.feature
    )
    return FeatureSet(chosen, target, metrics[target].unit, attributes, comparable_by)


class GlmSpec(Settings):
    """The Tweedie GLM on log metrics.

    Attributes:
        features: How many metrics it keeps, by rank correlation with the label.
        redundancy: A metric whose rank correlation with one already kept is above this is left out.
        penalty: The ridge penalty on standardised log metrics.
        power: The variance power of the Tweedie family.
    """

    features: Positive = 9
    redundancy: Rate = 0.95
    penalty: NotNegative = 0.01
    power: TweediePower = 1.5


class TreeSpec(Settings):
    """The monotone LightGBM models.

    Attributes:
        trees: How many trees.
        learning_rate: Shrinkage of each tree.
        leaves: Leaves per tree.
        depth: Greatest depth; deeper trees bring no accuracy and make contributions dear.
        leaf_rows: Least rows per leaf; halved for small data so that a leaf never needs more than a twentieth of it.
        feature_fraction: Share of features that each tree sees.
        ridge: L2 penalty of leaf values.
        power: The variance power of the Tweedie family.
        threads: Threads; part of the specification because results may depend on it.
    """

    trees: Positive = 200
    learning_rate: Rate = 0.05
    leaves: Annotated[int, Field(ge=2)] = 15
    depth: Annotated[int, Field(ge=1, le=LAST_TREE_DEPTH)] = 5
    leaf_rows: Positive = 40
    feature_fraction: Rate = 0.8
    ridge: NotNegative = 5.0
    power: TweediePower = 1.5
    threads: Positive = 2


class GateSpec(Settings):
    """When the model may replace persistence.

    Attributes:
        confidence: Least bootstrap probability that the model ranks better than persistence.
        bootstraps: How many bootstrap samples of partners.
        origins: How many inner out-of-time folds are pooled, the latest first.
        partners: Below this many partners in the inner fold nothing is proven.
    """

    confidence: Rate = 0.9
    bootstraps: Positive = 500
    origins: Positive = 1
    partners: Positive = 30


class IntervalSpec(Settings):
    """Conformal intervals.

    Attributes:
        coverage: The nominal coverage.
        bands: At most how many size bands, each calibrated on its own.
        band_rows: Least calibration rows of a band.
        rows: At most how many training rows the quantile models see; a seeded sample beyond.
        alarm: How often the regime alarm may fire where nothing changed.
        alarm_shift: A smaller shift than this, in the probability of doing better than before, raises no alarm.
    """

    coverage: Annotated[float, Field(gt=0.5, lt=1)] = 0.8
    bands: Positive = 3
    band_rows: Positive = 40
    rows: Positive = 200_000
    alarm: Rate = 0.05
    alarm_shift: Rate = 0.03


class ColdStartSpec(Settings):
    """The model for newcomers.

    Attributes:
        tenure_days: Partners known for fewer days are newcomers.
        levels: Levels of an attribute with fewer training rows are pooled.
        penalty: The ridge penalty that shrinks attribute effects.
        rows: Below this many newcomers in the past, all partners stand in for them; below this many of all, nobody.
        history: Whether the target so far and the tenure count beside firmographics.
        doubt: Persistence is used instead where, on the last past review that can test it, the bootstrap probability
            that this model ranks partners better was below this.
    """

    tenure_days: Positive = 182
    levels: Positive = 10
    penalty: NotNegative = 0.05
    rows: Positive = 30
    history: bool = True
    doubt: Rate = 0.1


class HeadroomSpec(Settings):
    """What the top of comparable partners attain.

    Attributes:
        quantile: The share of comparable partners below the reference.
        partners: Groups with fewer partners fall back to a wider group.
    """

    quantile: Annotated[float, Field(gt=0.5, lt=1)] = 0.9
    partners: Positive = 30


class BacktestSpec(Settings):
    """The rolling-origin back-test.

    Attributes:
        origins: At most how many past reviews are tested, the latest first.
        bootstraps: Bootstrap samples of partners for the intervals.
        confidence: Confidence of the bootstrap intervals.
        partners: At most how many partners it is run on; a seeded sample beyond.
        least_difference: Two versions whose normalised Ginis differ by less are not called better or worse than one
            another, however sure the sign is: other reviews, or another seed, move it as much. 0 calls the sign alone.
    """

    origins: Positive = 4
    bootstraps: Positive = 200
    partners: Positive = 25_000
    confidence: Rate = 0.9
    least_difference: Annotated[float, Field(ge=0, lt=1)] = 0.01


class PotentialSpec(Settings):
    """Hyper-parameters of the potential model.

    Attributes:
        glm: The Tweedie GLM.
        trees: The monotone LightGBM.
        gate: The gate against persistence.
        intervals: Conformal intervals.
        cold_start: The model for newcomers.
        headroom: The headroom tables.
        backtest: The rolling-origin back-test.
        tuning: What `train --tune N` searches.
        leaks: The guards against leaks.
        tier_as_feature: Whether the models may use the partner's current tier: metrics over the tier history, and
            attributes named after tiers.
        attributes_as_features: Whether the trees may split on partner attributes.
        training_rows: Fewer labelled snapshots than this cannot train a model.
    """

    glm: GlmSpec = GlmSpec()
    trees: TreeSpec = TreeSpec()
    gate: GateSpec = GateSpec()
    intervals: IntervalSpec = IntervalSpec()
    cold_start: ColdStartSpec = ColdStartSpec()
    headroom: HeadroomSpec = HeadroomSpec()
    backtest: BacktestSpec = BacktestSpec()
    tuning: TuningSpec = TuningSpec()
    leaks: LeakSpec = LeakSpec()
    tier_as_feature: bool = False
    attributes_as_features: bool = True
    training_rows: Positive = 50

    @model_validator(mode="after")
    def _search_suits_the_settings(self) -> Self:
        faults = search_faults(self.tuning.search, self.model_dump())
        if faults:
            raise ValueError("; ".join(faults))
        for model, section in ((GlmSpec, "glm"), (TreeSpec, "trees")):
            for bound in ("low", "high"):
                values = {path: getattr(found, bound) for path, found in self.tuning.search.items()}
                model.model_validate(with_values({"glm": {}, "trees": {}}, values)[section])
        return self


class ArchetypeSpec(Settings):
    """Hyper-parameters of the archetypes.

    Attributes:
        k_min: Fewest archetypes tried.
        k_max: Most archetypes tried.
        starts: KMeans starts of the final fit.
        bootstraps: Bootstrap samples for stability.
        relative_stability: Numbers of clusters qualify whose mean bootstrap ARI is at least this share of the best.
        relative_gain: Of those the smallest wins that keeps this share of the greatest gain over one blob.
        min_stability: Clusters that are found again with a lower mean ARI than this are no archetypes.
        min_share: Least share of partners in the smallest archetype.
        named_from: Bootstrap Jaccard from which an archetype is named.
        tentative_from: Bootstrap Jaccard from which it is named, marked as tentative.
        clip_sd: Transformed metrics are clipped at this many standard deviations.
        attribute_weight: The weight of one-hot attributes beside metrics of unit variance.
        target_limit: Metrics whose rank correlation with the target is at least this only restate how much a partner
            sells and do not describe archetypes; 1 keeps them all.
        zero_share: From this share of zeros a metric is split into an indicator and its positive part.
        null_draws: Draws of the one-blob reference that archetypes must beat; up to eight times as many where the
            answer is close.
        null_level: The level of that test, over all numbers of archetypes tried.
        null_gain: How much less of the spread must be left unexplained than for one blob.
        stay_ratio: A partner stays where it was if that is at most this many times as far as the nearest.
        fit_rows: At most how many partners the fit sees; a seeded sample beyond.
        stability_rows: At most how many partners each bootstrap sees.
        min_partners: With fewer partners no archetypes are supported.
        rule_depth: Depth of the surrogate tree of the rule cards.
    """

    k_min: Annotated[int, Field(ge=2)] = 2
    k_max: Annotated[int, Field(ge=2)] = 8
    starts: Positive = 20
    bootstraps: Positive = 20
    relative_stability: Rate = 0.9
    relative_gain: Rate = 0.9
    min_stability: Rate = 0.6
    min_share: Rate = 0.03
    named_from: Rate = 0.75
    tentative_from: Rate = 0.6
    clip_sd: Annotated[float, Field(gt=0)] = 3.5
    attribute_weight: NotNegative = 0.7
    target_limit: Rate = 0.6
    zero_share: Rate = 0.1
    null_draws: Positive = 39
    null_level: Rate = 0.1
    null_gain: Rate = 0.03
    stay_ratio: Annotated[float, Field(ge=1)] = 1.2
    fit_rows: Positive = 20_000
    stability_rows: Positive = 2_000
    min_partners: Positive = 40
    rule_depth: Positive = 3

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        if self.k_min > self.k_max:
            raise ValueError(f"'k_min' is {self.k_min}, above 'k_max' {self.k_max}")
        if self.tentative_from > self.named_from:
            raise ValueError(f"'tentative_from' is {self.tentative_from}, above 'named_from' {self.named_from}")
        return self


class ModelSpec(Settings):
    """The whole of a file under `models/`.

    Attributes:
        tierwise_model: The version of the file format.
        potential: Hyper-parameters of the potential model.
        archetypes: Hyper-parameters of the archetypes.
    """

    tierwise_model: Literal[1] = 1
    potential: PotentialSpec = PotentialSpec()
    archetypes: ArchetypeSpec = ArchetypeSpec()
