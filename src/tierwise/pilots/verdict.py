"""The verdict on each arm, by the rule that was written beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tierwise.config.pilot import AnalysisSettings, DecisionSettings, OutcomeSettings
from tierwise.pilots.analysis import Analysis
from tierwise.pilots.results import REASONS, Result

Answer = Literal["roll_out", "do_not_roll_out", "inconclusive", "no_verdict"]


@dataclass(frozen=True)
class Verdict:
    """The answer for one arm and why, in sentences."""

    arm: str
    answer: Answer
    because: tuple[str, ...]


def decide(
    analysis: Analysis, settings: AnalysisSettings, rule: DecisionSettings, returns: Sequence[Result] = ()
) -> tuple[Verdict, ...]:
    """Apply the decision rule to every arm.

    Args:
        analysis: What was read.
        settings: How it was read.
        rule: The rule written beforehand.
        returns: The rows of `returns`, where the rule asks for a least return.

    Returns:
        One verdict per arm. `no_verdict` where the gate failed or a primary metric has no estimate; `do_not_roll_out`
        where harm is shown or the effect is shown to be smaller than what matters; `roll_out` where all that the rule
        asks for is shown; else `inconclusive`.
    """
    arms = dict.fromkeys(row.arm for row in analysis.results)
    return tuple(_verdict(arm, analysis, settings, rule, returns) for arm in arms)


def _verdict(
    arm: str, analysis: Analysis, settings: AnalysisSettings, rule: DecisionSettings, returns: Sequence[Result]
) -> Verdict:
    rows = [row for row in analysis.results if row.arm == arm and row.scope == "all"]
    primary = [row for row in rows if row.role == "primary"]
    if not analysis.sample_ratio.passed:
        return Verdict(arm, "no_verdict", (_sentence(REASONS["sample_ratio_mismatch"]),))
    if not primary:
        return Verdict(arm, "no_verdict", ("The pilot has no primary metric.",))
    found = [_primary(row, settings.outcomes[row.metric], rule, settings.alpha) for row in primary]
    found += [_guardrail(row, settings.outcomes[row.metric], rule) for row in rows if row.role == "guardrail"]
    if rule.least_return is not None:
        found.append(_return(arm, rule.least_return, returns))
    because = tuple(sentence for _, sentence in found)
    answers = {answer for answer, _ in found}
    for answer in ("no_verdict", "do_not_roll_out", "inconclusive"):
        if answer in answers:
            return Verdict(arm, answer, because)
    return Verdict(arm, "roll_out", because)


Found = tuple[Answer, str]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _gain(row: Result, outcome: OutcomeSettings) -> tuple[float | None, float | None]:
    """The relative interval turned so that more is better; absolute where the control's value is not above zero."""
    value = row.relative if row.relative and row.relative.low is not None and (row.control_value or 0) > 0 else None
    low, high = (value.low, value.high) if value else (None, None)
    if low is None or high is None or outcome.direction == "up":
        return low, high
    return -high, -low


def _primary(row: Result, outcome: OutcomeSettings, rule: DecisionSettings, alpha: float) -> Found:
    if row.value is None or row.p_adjusted is None:
        return "no_verdict", f"{row.metric}: {REASONS[row.reason_code or 'estimator_failed']}."
    better = (row.value.estimate > 0) == (outcome.direction == "up")
    low, high = _gain(row, outcome)
    least = outcome.minimum_effect
    if row.p_adjusted <= alpha and not better:
        return "do_not_roll_out", f"{row.metric} is worse than in the control arm (adjusted p = {row.p_adjusted:.3f})."
    if least is not None and high is not None and high < least:
        return "do_not_roll_out", f"{row.metric} changes by less than the {least:.0%} that matter."
    if row.p_adjusted > alpha:
        return "inconclusive", f"{row.metric}: no difference is shown (adjusted p = {row.p_adjusted:.3f})."
    if rule.show == "minimum_effect" and (least is None or low is None or low < least):
        return "inconclusive", f"{row.metric} is better, but not shown to be better by what matters."
    return "roll_out", f"{row.metric} is better than in the control arm (adjusted p = {row.p_adjusted:.3f})."


def _guardrail(row: Result, outcome: OutcomeSettings, rule: DecisionSettings) -> Found:
    low, high = _gain(row, outcome)
    if low is None or high is None:
        return _guardrail_without_share(row, outcome, rule)
    if high < -outcome.tolerance:
        return "do_not_roll_out", f"Guardrail {row.metric} is worse by more than {outcome.tolerance:.0%}."
    if low >= -outcome.tolerance:
        return "roll_out", f"Guardrail {row.metric} is not worse by more than {outcome.tolerance:.0%}."
    answer: Answer = "inconclusive" if rule.guardrails == "shown_safe" else "roll_out"
    return answer, f"Guardrail {row.metric}: worse by more than {outcome.tolerance:.0%} is neither shown nor excluded."


def _guardrail_without_share(row: Result, outcome: OutcomeSettings, rule: DecisionSettings) -> Found:
    """A guardrail whose change cannot be put as a share of the control's value: nobody there met it, or no number."""
    if is_worse_than_none(row, outcome):
        return "do_not_roll_out", f"Guardrail {row.metric} is worse, and not above zero in the control arm."
    answer: Answer = "inconclusive" if rule.guardrails == "shown_safe" else "roll_out"
    why = f" ({REASONS[row.reason_code]})" if row.reason_code else ""
    return answer, f"Guardrail {row.metric}: whether it is worse cannot be told{why}."


def is_worse_than_none(row: Result, outcome: OutcomeSettings) -> bool:
    """Whether a guardrail is shown to be worse than in a control arm where it is not above zero.

    No tolerance can be a share of nothing, so any harm that is shown counts.
    """
    value = row.value
    if value is None or value.low is None or value.high is None or (row.control_value or 0) > 0:
        return False
    return value.low > 0 if outcome.direction == "down" else value.high < 0


def _return(arm: str, least: float, returns: Sequence[Result]) -> Found:
    row = next((row for row in returns if row.arm == arm and row.metric == "return_on_cost"), None)
    if row is None or row.value is None or row.value.low is None or row.value.high is None:
        return "inconclusive", "The return on cost has no interval."
    if row.value.high < least:
        return "do_not_roll_out", f"The return on cost is below {least:.0%}."
    if row.value.low < least:
        return "inconclusive", f"The return on cost is not shown to be above {least:.0%}."
    return "roll_out", f"The return on cost is above {least:.0%}."
