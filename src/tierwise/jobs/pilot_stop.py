"""What the stop rule says at a look before the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from tierwise.config.pilot import AnalysisSettings
from tierwise.config.pilot_file import PilotStop
from tierwise.pilots import Analysis, Result, Verdict
from tierwise.pilots.verdict import is_worse_than_none

Stop = Literal["go_on", "stop_for_harm", "stop_for_benefit"]


def stop_answer(
    rule: PilotStop, settings: AnalysisSettings, analysis: Analysis, verdicts: Sequence[Verdict]
) -> tuple[Stop, tuple[str, ...]]:
    """Apply the stop rule that was written beforehand; intervals at a look hold at every look at once.

    Args:
        rule: The rule.
        settings: How the pilot is read.
        analysis: What was read.
        verdicts: What the decision rule says.

    Returns:
        The answer, and why, in sentences.
    """
    harm = tuple(_harm(settings, analysis)) if rule.for_harm else ()
    if harm:
        return "stop_for_harm", harm
    ready = [one.arm for one in verdicts if one.answer == "roll_out"]
    if rule.for_benefit and ready:
        return "stop_for_benefit", tuple(f"The decision rule is met for {arm}." for arm in ready)
    return "go_on", ("No rule for stopping is met.",)


def _harm(settings: AnalysisSettings, analysis: Analysis) -> Iterator[str]:
    for row in analysis.results:
        if row.scope != "all" or row.value is None:
            continue
        if row.role == "primary" and _is_worse(settings, row):
            yield f"{row.arm}: {row.metric} is worse than in the control arm (adjusted p = {row.p_adjusted:.3f})."
        if row.role == "guardrail" and _breaks(settings, row):
            tolerance = settings.outcomes[row.metric].tolerance
            yield f"{row.arm}: the guardrail {row.metric} is worse by more than {tolerance:.0%}."


def _is_worse(settings: AnalysisSettings, row: Result) -> bool:
    shown = row.p_adjusted is not None and row.p_adjusted <= settings.alpha
    return shown and row.value is not None and (row.value.estimate > 0) == _less_is_better(settings, row)


def _breaks(settings: AnalysisSettings, row: Result) -> bool:
    relative, tolerance = row.relative, settings.outcomes[row.metric].tolerance
    if (row.control_value or 0) <= 0:
        return is_worse_than_none(row, settings.outcomes[row.metric])
    if relative is None or relative.low is None or relative.high is None:
        return False
    return relative.low > tolerance if _less_is_better(settings, row) else relative.high < -tolerance


def _less_is_better(settings: AnalysisSettings, row: Result) -> bool:
    return settings.outcomes[row.metric].direction == "down"
