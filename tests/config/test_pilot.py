"""Settings of pilots: what they accept, refuse and say."""

from __future__ import annotations

import inspect
import json

import pytest
from pydantic import ValidationError

from tierwise.config import pilot
from tierwise.config.base import Settings, field_docs, summary_doc
from tierwise.config.pilot import (
    AnalysisSettings,
    AssignmentSettings,
    DecisionSettings,
    MoneySettings,
    OffPolicySettings,
    OneRegionSettings,
    OutcomeSettings,
    PowerSettings,
    RolloutSettings,
    ThresholdSettings,
)

ARMS = {"control": 1.0, "mdf": 1.0}
LEAST: dict[type[Settings], dict[str, object]] = {
    OutcomeSettings: {},
    AnalysisSettings: {"control": "control", "outcomes": {"revenue": {}}},
    AssignmentSettings: {"arms": ARMS, "seed": 1},
    PowerSettings: {"outcome": "revenue", "arms": ARMS, "effect": 0.1},
    MoneySettings: {"revenue": "revenue", "margin": 0.3, "cost": "spent", "window_months": 6},
    DecisionSettings: {},
    RolloutSettings: {"outcome": "revenue"},
    OneRegionSettings: {"outcome": "revenue", "treated": ["north"], "starts": 4},
    ThresholdSettings: {"running": "points", "outcome": "revenue", "cutoff": 60},
    OffPolicySettings: {"outcome": "revenue"},
}
models = pytest.mark.parametrize("model", LEAST, ids=lambda model: model.__name__)


def read(model: type[Settings], **more: object) -> Settings:
    return model.model_validate({**LEAST[model], **more})


def test_every_settings_model_of_pilots_is_tested_here():
    found = {
        thing
        for _, thing in inspect.getmembers(pilot, inspect.isclass)
        if issubclass(thing, Settings) and thing is not Settings
    }
    assert found == set(LEAST)


@models
def test_the_least_that_must_be_said_is_enough_and_survives_json(model):
    settings = read(model)
    assert model.model_validate_json(settings.model_dump_json()) == settings
    assert model.model_validate(json.loads(settings.model_dump_json())) == settings


@models
def test_every_key_is_described_and_the_model_too(model):
    assert set(field_docs(model)) == set(model.model_fields)
    assert summary_doc(model).endswith(".")


@models
def test_an_unknown_key_is_never_ignored(model):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        read(model, aplha=0.1)


@models
def test_settings_cannot_be_changed_afterwards(model):
    settings = read(model)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, next(iter(model.model_fields)), "other")


@pytest.mark.parametrize(
    ("model", "key", "value"),
    [
        (model, key, value)
        for model in LEAST
        for key, values in {
            "alpha": (0, 1, -0.1, float("nan"), float("inf"), "often"),
            "power": (0, 1),
            "density_alpha": (0, 1),
            "least_propensity": (0, 1),
            "seed": (-1, 0.5),
            "effect": (0, -0.1),
            "minimum_effect": (0, -0.05),
            "tolerance": (-0.01, float("inf")),
            "look": (0, 1.01),
            "permutations": (0, 1.5),
            "simulations": (49, 0),
            "units": (3, 0),
            "acceptance": (0, 1.1),
            "most_draws": (0,),
            "window_months": (0, -6),
            "anticipation": (-1, 0.5),
            "least_units": (4, 0),
            "cutoff": (float("nan"), float("inf")),
            "treated": ([],),
            "arms": ({"control": 1}, {"control": 1, "mdf": 0}, {"control": 1, "": 1}, {"control": 1, "mdf": -1}),
            "shares": ({"control": 0, "mdf": 1}, {"control": float("nan")}),
            "outcomes": ({}, {"": {}}, {"revenue": {"role": "main"}}),
            "role": ("secondary", ""),
            "direction": ("sideways",),
            "show": ("worse",),
            "guardrails": ("ignore",),
            "compare_with": ("everybody",),
            "margin": (0, 1.2, -0.3, "", float("nan")),
            "cost": ({"mdf": -1}, "", {"": 1}, {"mdf": float("inf")}),
            "outcome": ("", "   ", 3),
            "control": ("", "  "),
            "covariates": (("",), "past"),
        }.items()
        if key in model.model_fields
        for value in values
    ],
    ids=lambda part: part.__name__ if inspect.isclass(part) else repr(part),
)
def test_values_beyond_the_bounds_are_refused_at_their_key(model, key, value):
    with pytest.raises(ValidationError) as caught:
        read(model, **{key: value})
    assert {error["loc"][0] for error in caught.value.errors()} == {key}


@pytest.mark.parametrize(
    ("model", "key", "value"),
    [
        (AnalysisSettings, "look", 1.0),
        (AnalysisSettings, "alpha", 0.001),
        (AssignmentSettings, "acceptance", 1.0),
        (AssignmentSettings, "seed", 0),
        (PowerSettings, "units", 4),
        (PowerSettings, "simulations", 50),
        (MoneySettings, "margin", 1.0),
        (MoneySettings, "cost", {"mdf": 0.0}),
        (OutcomeSettings, "tolerance", 0.0),
        (DecisionSettings, "least_return", -0.5),
        (ThresholdSettings, "least_units", 5),
        (ThresholdSettings, "cutoff", -10.0),
    ],
)
def test_the_bounds_themselves_are_accepted(model, key, value):
    assert getattr(read(model, **{key: value}), key) == value


def test_spaces_around_a_column_are_no_part_of_its_name():
    assert read(RolloutSettings, outcome=" revenue ").outcome == "revenue"


def test_the_control_needs_a_share_where_shares_are_given():
    with pytest.raises(ValidationError, match="'contrl' has no share; did you mean 'control'"):
        read(AnalysisSettings, control="contrl", shares=ARMS)
    assert read(AnalysisSettings, shares=ARMS).shares == ARMS


def test_an_outcome_does_not_explain_itself():
    with pytest.raises(ValidationError, match="'revenue' is both an outcome and a covariate"):
        read(AnalysisSettings, covariates=("past", "revenue"))
    with pytest.raises(ValidationError, match="'revenue' is both the outcome and a covariate"):
        read(PowerSettings, covariates=("revenue",))


def test_outcomes_of_a_role_keep_the_order_of_the_file():
    outcomes = {"z": {"role": "primary"}, "guard": {"role": "guardrail"}, "a": {"role": "primary"}, "more": {}}
    settings = read(AnalysisSettings, outcomes=outcomes)
    assert settings.named("primary") == ("z", "a")
    assert settings.named("guardrail") == ("guard",)
    assert settings.named("exploratory") == ("more",)


def test_a_margin_is_a_share_or_a_column():
    assert read(MoneySettings, margin=0.25).margin == 0.25
    assert read(MoneySettings, margin="margin_usd").margin == "margin_usd"


def test_where_nothing_is_said_the_careful_choice_is_made():
    """Two-sided 5 %, one family decides, guardrails by proven harm, comparison with those never treated."""
    settings = read(AnalysisSettings)
    assert (settings.alpha, settings.outcomes["revenue"].role) == (0.05, "exploratory")
    assert settings.look is None
    assert read(OutcomeSettings).model_dump(include={"missing", "left"}) == {"missing": None, "left": None}
    assert read(DecisionSettings).guardrails == "no_harm_shown"
    assert read(RolloutSettings).compare_with == "never_treated"
    assert read(RolloutSettings).anticipation == 0


@pytest.mark.parametrize("model", [AssignmentSettings, AnalysisSettings, PowerSettings, OneRegionSettings])
def test_everything_that_is_drawn_has_a_seed(model):
    assert read(model, seed=77).seed == 77


def test_an_assignment_has_no_seed_of_its_own():
    with pytest.raises(ValidationError, match="Field required"):
        AssignmentSettings.model_validate({"arms": ARMS})
