"""Result rows: one estimate with its interval, what it means, how far it can be trusted, or why there is none.

A figure that cannot be computed is a row with a reason code, never a filler such as p = 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

from tierwise.errors import Fault, Refused

Grade = Literal["randomised", "discontinuity", "difference_in_differences", "observational", "descriptive"]

# The attribution grades, the most trustworthy first, with what each may be called.
GRADES = MappingProxyType[str, str](
    {
        "randomised": "effect, by random assignment",
        "discontinuity": "effect at the threshold only, by comparing partners just above and just below",
        "difference_in_differences": "effect if both groups would have moved alike",
        "observational": "association: groups that nobody made comparable",
        "descriptive": "description: what was seen before and after",
    }
)
EFFECT_GRADES = frozenset({"randomised", "discontinuity", "difference_in_differences"})

REASONS = MappingProxyType[str, str](
    {
        "sample_ratio_mismatch": "the arms are not of the sizes drawn (p < .001): "
        "something chose who stayed in, or other shares were drawn than stated",
        "too_few_units": "too few units with a value in an arm",
        "too_few_clusters": "an arm has fewer than two clusters",
        "no_variation": "every unit has the same value",
        "ratio_denominator_zero": "the denominator of the ratio is not above zero in an arm",
        "denominator_not_distinguishable": "what is divided by cannot be told from zero: the interval has no end",
        "manipulated_threshold": "the density of partners jumps at the threshold: they place themselves",
        "too_few_near_threshold": "too few partners near the threshold",
        "no_overlap": "some partners could never have got what the alternative would give them",
        "no_comparison_group": "no unit stays untreated long enough to compare with",
        "no_pre_periods": "too few periods before the start",
        "estimator_failed": "the estimator found no answer on these data",
        "no_history": "nothing of it is on record, or the time after it has not passed yet",
        "rule_not_followed": "crossing the threshold does not change who gets the tier",
        "no_model_then": "the policy needs a model's outputs, and no version was in force then",
    }
)

ASSUMPTIONS = MappingProxyType[str, str](
    {
        "random_assignment": "Arms were drawn by chance as recorded.",
        "no_interference": "One unit's arm does not change another unit's outcome.",
        "missing_at_random_in_arm": "Within an arm, units without a value are like those with one.",
        "independent_clusters": "Clusters are independent of one another.",
        "continuity_at_threshold": "Nothing but the tier changes at the threshold.",
        "no_manipulation": "Partners cannot place themselves just above the threshold.",
        "parallel_trends": "Without the change, treated and comparison units would have moved alike.",
        "no_anticipation": "Nobody acts on the change before it starts.",
        "synthetic_match": "The weighted comparison regions would have followed the treated region.",
        "no_unmeasured_confounding": "Nothing that was not measured drives both the treatment and the outcome.",
        "overlap": "Every unit could have got either treatment.",
        "known_propensity": "The recorded chances of each action are the true ones.",
        "nothing_else_changed": "Nothing else changed between before and after.",
    }
)


@dataclass(frozen=True)
class Estimate:
    """A number with its uncertainty.

    Attributes:
        estimate: The point estimate, in the unit of the metric.
        standard_error: Its standard error.
        low: Lower end of the interval.
        high: Upper end.
        p: Two-sided p-value of no effect.
        degrees: Degrees of freedom of the t distribution; None where the interval is not by t.
    """

    estimate: float
    standard_error: float | None
    low: float | None
    high: float | None
    p: float | None
    degrees: float | None = None


NOTHING = Estimate(math.nan, None, None, None, None)


@dataclass(frozen=True)
class Counts:
    """How many units a row rests on; units without a value and units that left are counted, not dropped."""

    arm: int = 0
    control: int = 0
    missing_arm: int = 0
    missing_control: int = 0
    left_arm: int = 0
    left_control: int = 0
    clusters: int | None = None


@dataclass(frozen=True)
class Result:
    """One result row.

    Attributes:
        metric: The outcome.
        role: primary, guardrail or exploratory.
        arm: The arm that is compared.
        control: With what.
        scope: `all`, or `archetype: NAME`, or another part of the population.
        method: How it was computed.
        estimand: What the number is an estimate of, in words.
        grade: The attribution grade.
        assumptions: Codes of `ASSUMPTIONS`.
        value: The estimate; None with a reason code where there is none.
        relative: The estimate as a share of the control arm's value, by Fieller's interval.
        counts: Units behind it.
        level: The confidence level of the intervals.
        control_value: The control arm's value.
        p_adjusted: The p-value after the correction for many comparisons.
        adjustment: holm, benjamini_hochberg or none.
        reason_code: A code of `REASONS`, or None.
        diagnostics: Further figures, by name.
    """

    metric: str
    role: str
    arm: str
    control: str
    method: str
    estimand: str
    grade: Grade
    assumptions: tuple[str, ...]
    scope: str = "all"
    value: Estimate | None = None
    relative: Estimate | None = None
    counts: Counts = Counts()
    level: float = 0.95
    control_value: float | None = None
    p_adjusted: float | None = None
    adjustment: str = "none"
    reason_code: str | None = None
    diagnostics: Mapping[str, float] = field(default_factory=dict)

    @property
    def claim(self) -> str:
        """What the estimate may be called: `effect`, `association` or `description`."""
        if self.grade in EFFECT_GRADES:
            return "effect"
        return "association" if self.grade == "observational" else "description"

    def effect(self) -> Estimate:
        """Return the estimate where it may be called an effect.

        Raises:
            Refused: If the comparison was not made so that it shows an effect, or there is no estimate.
        """
        if self.claim != "effect":
            what = (
                f"this is no effect but an {GRADES[self.grade]}" if self.claim == "association" else GRADES[self.grade]
            )
            todo = "run a randomised pilot, or report the number as what it is"
            raise Refused(Fault(what, f"{self.metric}, {self.arm} against {self.control}", todo=todo))
        if self.value is None:
            raise Refused(Fault(REASONS[self.reason_code or "estimator_failed"], f"{self.metric}, {self.arm}"))
        return self.value

    def without_value(self, reason_code: str) -> Result:
        """The same row with a reason in place of the numbers."""
        return replace(self, value=None, relative=None, p_adjusted=None, control_value=None, reason_code=reason_code)

    def row(self) -> dict[str, Any]:
        """The row as `RESULT_SCHEMA` describes it: plain values, null where there is none."""
        value, relative = self.value or NOTHING, self.relative or NOTHING
        return {
            **{name: getattr(self, name) for name in _NAMES},
            "claim": self.claim,
            "assumptions": list(self.assumptions),
            **{name: _finite(getattr(value, name)) for name in _NUMBERS},
            **{f"relative{end}": _finite(getattr(relative, name)) for name, end in _RELATIVE.items()},
            "level": self.level,
            "control_value": _finite(self.control_value),
            "p_adjusted": _finite(self.p_adjusted),
            "adjustment": self.adjustment,
            **{f"{name}_units": count for name, count in asdict(self.counts).items() if name != "clusters"},
            "clusters": self.counts.clusters,
            "reason_code": self.reason_code,
            "reason": REASONS[self.reason_code] if self.reason_code else None,
            "diagnostics": {name: _finite(number) for name, number in sorted(self.diagnostics.items())},
        }


_NAMES = ("metric", "role", "scope", "arm", "control", "method", "estimand", "grade")
_NUMBERS = tuple(item.name for item in fields(Estimate))
_RELATIVE = {"estimate": "", "low": "_low", "high": "_high"}


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else float(number)


def to_rows(results: Iterable[Result]) -> list[dict[str, Any]]:
    """Result rows as plain dictionaries, ready for JSON and for `RESULT_SCHEMA`."""
    return [result.row() for result in results]


def to_frame(results: Iterable[Result]) -> pd.DataFrame:
    """Result rows as a frame, one row per result, in their order; assumptions joined by `, `, no diagnostics."""
    rows = to_rows(results)
    for row in rows:
        row["assumptions"] = ", ".join(row["assumptions"])
        del row["diagnostics"]
    return pd.DataFrame(rows)


def _maybe(kind: str, says: str, **more: object) -> dict[str, object]:
    return {"type": [kind, "null"], "description": says, **more}


def _text(says: str, **more: object) -> dict[str, object]:
    return {"type": "string", "description": says, **more}


_PROPERTIES: dict[str, dict[str, object]] = {
    "metric": _text("The outcome, a metric of the catalog."),
    "role": _text("What the outcome is for.", enum=["primary", "guardrail", "exploratory"]),
    "scope": _text("`all`, or the part of the population."),
    "arm": _text("The arm that is compared."),
    "control": _text("What it is compared with."),
    "method": _text("How the estimate was computed."),
    "estimand": _text("What the number is an estimate of."),
    "grade": _text("The attribution grade.", enum=list(GRADES)),
    "claim": _text("What the estimate may be called.", enum=["effect", "association", "description"]),
    "assumptions": {
        "type": "array",
        "items": {"type": "string", "enum": sorted(ASSUMPTIONS)},
        "description": "What must hold, by code.",
    },
    "estimate": _maybe("number", "The estimate, in the unit of the metric."),
    "standard_error": _maybe("number", "Its standard error.", minimum=0),
    "low": _maybe("number", "Lower end of the interval; null where it has none."),
    "high": _maybe("number", "Upper end of the interval; null where it has none."),
    "p": _maybe("number", "Two-sided p-value of no effect.", minimum=0, maximum=1),
    "degrees": _maybe("number", "Degrees of freedom of the t distribution.", exclusiveMinimum=0),
    "relative": _maybe("number", "The estimate as a share of the control arm's value."),
    "relative_low": _maybe("number", "Lower end of its interval (Fieller)."),
    "relative_high": _maybe("number", "Upper end of its interval (Fieller)."),
    "level": {"type": "number", "description": "The confidence level.", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "control_value": _maybe("number", "The control arm's value."),
    "p_adjusted": _maybe("number", "The p-value after the correction.", minimum=0, maximum=1),
    "adjustment": _text("The correction for many comparisons.", enum=["holm", "benjamini_hochberg", "none"]),
    **{
        f"{item.name}_units": {
            "type": "integer",
            "minimum": 0,
            "description": f"Units: {item.name.replace('_', ', ')}.",
        }
        for item in fields(Counts)
        if item.name != "clusters"
    },
    "clusters": _maybe("integer", "How many clusters were drawn.", minimum=0),
    "reason_code": {"enum": [None, *REASONS], "description": "Why there is no estimate or no interval."},
    "reason": _maybe("string", "The reason in words."),
    "diagnostics": {
        "type": "object",
        "additionalProperties": {"type": ["number", "null"]},
        "description": "Further figures of the method, by name.",
    },
}

RESULT_SCHEMA: dict[str, object] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Result row of a pilot",
    "description": "One estimate with its interval, estimand, assumptions and grade, or the reason why there is none.",
    "type": "object",
    "additionalProperties": False,
    "required": list(_PROPERTIES),
    "properties": _PROPERTIES,
    "if": {"properties": {"estimate": {"type": "null"}}},
    "then": {"properties": {"reason_code": {"type": "string"}}},
}
