"""Plans worded: one row per plan, or one row that says why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from tierwise.explain.figures import UNKNOWN, figure
from tierwise.explain.hidden import without_hidden
from tierwise.explain.plans_sentences import PLAN, PLAN_SENTENCES
from tierwise.explain.wording import Wording, robustness_words


def word_plans(
    plans: pd.DataFrame, roadmap: pd.DataFrame, wording: Wording, settings: Mapping[str, str]
) -> pd.DataFrame:
    """Add both wordings to every plan.

    Args:
        plans: `partner_id, plan, code, reaches_tier, effort, by_when, robustness, expires_on`.
        roadmap: The steps: `partner_id, plan, step, metric, from, to`.
        wording: Titles and units.
        settings: What sentences without a plan name: `quarters`, `levers`.

    Returns:
        The plans with `sentence` and `partner_safe_sentence`.
    """
    steps = _steps_by_plan(roadmap, wording)
    days = {name: plans[name].dt.strftime("%Y-%m-%d") for name in ("by_when", "expires_on") if name in plans}
    said = [_said(row, steps, settings) for row in _records(plans.assign(**days))]
    texts = pd.DataFrame(said, columns=["sentence", "partner_safe_sentence"], index=plans.index).astype("str")
    return without_hidden(pd.concat([plans, texts], axis=1), wording.hidden)


def _records(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    columns = [str(name) for name in frame.columns]
    return (
        dict(zip(columns, row, strict=True)) for row in zip(*(_values(frame[name]) for name in columns), strict=True)
    )


def _values(column: pd.Series) -> Sequence[Any]:
    """The values as Python's own, which texts held by Arrow are slow to become one by one."""
    values: Sequence[Any] = column.to_numpy(dtype=object).tolist()
    return values


def _steps_by_plan(roadmap: pd.DataFrame, wording: Wording) -> dict[tuple[str, int], str]:
    found: dict[tuple[str, int], list[str]] = {}
    columns = (_values(roadmap[name]) for name in ("partner_id", "plan", "metric", "from", "to"))
    for partner_id, plan, metric, start, end in zip(*columns, strict=True):
        found.setdefault((partner_id, plan), []).append(step_text(metric, start, end, wording))
    return {key: _listed(steps) for key, steps in found.items()}


def step_text(metric: str, start: float, end: float, wording: Wording) -> str:
    """Say one step: `customers sold to, last 4 quarters from 7 to 10 customers`."""
    unit = wording.units.get(metric, "")
    first, last = figure(start, unit), figure(end, unit)
    first = "an unknown figure" if first == UNKNOWN else first
    return f"{wording.title(metric)} from {first} to {last}"


def _listed(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{'; '.join(texts[:-1])}; and {texts[-1]}"


def _said(row: Mapping[str, Any], steps: Mapping[tuple[str, int], str], settings: Mapping[str, str]) -> tuple[str, str]:
    words = {**settings, "tier": row["reaches_tier"]}
    if row["code"] == PLAN:
        words |= {
            "steps": steps[row["partner_id"], row["plan"]],
            "effort": f"{max(row['effort'], 0.1):.1f} quarters",
            "by_when": row["by_when"],
            "expires_on": row["expires_on"],
            "robustness": "" if pd.isna(row["robustness"]) else f"; it holds {robustness_words(row['robustness'])}",
        }
    sentence = PLAN_SENTENCES[row["code"]]
    return sentence.manager.format_map(words), sentence.partner_safe.format_map(words)
