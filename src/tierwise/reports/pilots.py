"""Designs, draws and readings of pilots as text for a terminal, and as payloads for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tierwise.reports.numbers import number
from tierwise.reports.text_table import text_table
from tierwise.store.pilot_folder import FROZEN_FILE, PAGE, Kept
from tierwise.store.pilot_parts import PilotRecord, PopulationRecord
from tierwise.store.pilot_records import (
    AmendmentRecord,
    AnalysisRecord,
    AssignmentRecord,
    DesignRecord,
    MoneyRecord,
    PlanRecord,
)

ANSWERS = {
    "roll_out": "roll out",
    "do_not_roll_out": "do not roll out",
    "inconclusive": "inconclusive",
    "no_verdict": "no verdict",
}
_STOPS = {"go_on": "go on", "stop_for_harm": "stop, for harm", "stop_for_benefit": "stop, for benefit"}
_REASONS = {
    "left": "left the programme",
    "opted_out": "opted out",
    "in_other_pilot": "in another pilot",
    "over_the_limit": "over the limit",
}
_UNKNOWN = "-"


def payload(kept: Kept[Any]) -> dict[str, Any]:
    """A kept record for a machine: the record as it is stored, and where."""
    return {"folder": str(kept.folder), **kept.record.model_dump(mode="json")}


def design_text(kept: Kept[DesignRecord]) -> str:
    """A design: who could take part, what can be detected, what would help."""
    record = kept.record
    answer = "It can show what matters." if record.can_detect else "It cannot show what matters."
    parts = [
        _heading(record.pilot),
        f"{_population(record.population, f'As known on {record.source.as_of}')}\n{_arms(record.pilot)}",
        answer,
        *(_plan(record.pilot, plan) for plan in record.plans),
        _notes(record.notes),
        _written(kept.folder, "design.json", "power.csv"),
    ]
    return "\n\n".join(part for part in parts if part)


def assignment_text(kept: Kept[AssignmentRecord], *, is_new: bool) -> str:
    """A draw: how many are in each arm, how alike they are, and the hash that proves it."""
    record = kept.record
    told = "Drawn" if is_new else "Drawn before; nothing is drawn anew, and the file says what was frozen. Drawn"
    of = "partners" if record.pilot.unit == "partner" else f"units of {record.pilot.unit}"
    parts = [
        _heading(record.pilot),
        f"{told} on {record.on} by {record.by}, as of {record.source.as_of}, from seed {record.seed}; best balanced of "
        f"{record.draws} draws.",
        f"{_population(record.population, 'Population')}\n{_arms(record.pilot, of)}",
        f"Balance before the start (above 0.1 is worth a look):\n{_balance(kept.tables['balance'])}",
        f"Hash of the draw: {record.sha256}\nHash of the file: {record.pilot.sha256}",
        _notes(record.notes),
        _written(kept.folder, "units.csv", "excluded.csv", FROZEN_FILE),
    ]
    return "\n\n".join(part for part in parts if part)


def amendment_text(record: AmendmentRecord) -> str:
    """An amendment: what changed, by whom, why, and whether results were known."""
    known = ", ".join(map(str, record.results_known))
    told = f"after the results of {known} were known" if known else "before any result was known"
    rows = [(change.field, _value(change.before), _value(change.after)) for change in record.changes]
    return (
        f"Amendment {record.number} recorded on {record.on} by {record.by}, {told}: {record.because}\n\n"
        f"{text_table(('field', 'before', 'after'), rows)}"
    )


def analysis_text(kept: Kept[AnalysisRecord]) -> str:
    """A reading: verdicts first, then the effects, the gate, money, and what to know."""
    record = kept.record
    parts = [
        _heading(record.pilot),
        _stands(record),
        _verdicts(record),
        f"{_effects_title(record)}\n{_effects(record, archetypes=False)}",
        _archetypes(record),
        _money(record),
        _gate(record),
        _notes((*_amended(record), *record.notes)),
        _written(kept.folder, PAGE, "results.csv", "analysis.json"),
    ]
    return "\n\n".join(part for part in parts if part)


def _heading(pilot: PilotRecord) -> str:
    return f"{pilot.title} ({pilot.slug}), {pilot.starts} to {pilot.ends}, owner {pilot.owner}\n{pilot.hypothesis}"


def _population(found: PopulationRecord, start: str) -> str:
    rule = f"the rule holds for {found.matched:,}" if found.rule else "no rule narrows them"
    left_out = ", ".join(f"{count:,} {_REASONS[name]}" for name, count in found.excluded.items())
    units = "" if found.units == found.partners else f" in {found.units:,} units"
    text = f"{start}: {found.known:,} partners, {rule}, {found.partners:,} take part{units}"
    return f"{text}; left out: {left_out}." if left_out else f"{text}."


def _arms(pilot: PilotRecord, drawn: str = "") -> str:
    rows = []
    for arm in pilot.arms:
        counts = f"{arm.partners:,}" if drawn else ""
        units = f"{arm.units:,}" if drawn and pilot.unit != "partner" else ""
        rows.append((arm.name, arm.kind.replace("_", " "), f"{arm.share:.0%}", counts, units, arm.gets))
    header = ("arm", "kind", "share", "partners" if drawn else "", drawn if pilot.unit != "partner" else "", "gets")
    kept = [place for place, name in enumerate(header) if name]
    return text_table([header[place] for place in kept], [[row[place] for place in kept] for row in rows])


def _plan(pilot: PilotRecord, plan: PlanRecord) -> str:
    rows = [
        (
            row.option,
            f"{row.units:,}",
            row.arms,
            _chance(row.power_formula),
            _chance(row.power_simulated),
            _chance(row.detectable_formula),
            _chance(row.detectable_simulated),
            f"{row.units_needed:,}",
        )
        for row in plan.rows
    ]
    header = ("option", "units", "arms", "chance, formula", "simulated", "smallest change, formula", "simulated",
              "units needed")  # fmt: skip
    title = (
        f"{pilot.outcome(plan.metric).title}: a change of {plan.effect:.0%}, with a chance of {plan.power:.0%} "
        f"(history {plan.history_from} to {plan.history_until}, {plan.history_partners:,} partners)"
    )
    sentences = "\n".join(f"  {sentence}" for sentence in plan.sentences)
    return f"{title}\n{sentences}\n\n{text_table(header, rows, right=set(range(1, 8)))}"


def _chance(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.0%}"


def _balance(table: pd.DataFrame) -> str:
    rows = [
        (row.column, row.arm, number(row.mean), number(row.control_mean), f"{row.standardised_difference:+.2f}")
        for row in table.itertuples()
    ]
    header = ("before the start", "arm", "mean", "control", "standardised difference")
    return text_table(header, rows, right={2, 3, 4})


def _stands(record: AnalysisRecord) -> str:
    if record.final:
        return f"Final reading: outcomes from {record.pilot.starts} to {record.until}."
    look = "" if record.look is None else f" with {record.look:.0%} of its time in"
    rule = "" if record.stop is None else f"\nStop rule: {_STOPS[record.stop]}. {' '.join(record.stop_because)}"
    return f"A look before the end{look}: outcomes from {record.pilot.starts} to {record.until}.{rule}"


def _verdicts(record: AnalysisRecord) -> str:
    title = "Verdict by the rule written beforehand" if record.final else "What the rule would say today"
    lines = []
    for one in record.verdicts:
        lines.append(f"  {record.pilot.arm(one.arm).title}: {ANSWERS[one.answer]}")
        lines += [f"    {sentence}" for sentence in one.because]
    return "\n".join([f"{title}:", *lines])


def _effects_title(record: AnalysisRecord) -> str:
    kind = "confidence sequence, valid at every look" if record.look is not None else "interval"
    return f"Change against {record.pilot.control} ({1 - record.pilot.alpha:.0%} {kind}), all partners as drawn:"


def _effects(record: AnalysisRecord, *, archetypes: bool) -> str:
    rows = []
    for row in record.results:
        if (row["scope"] != "all") != archetypes:
            continue
        first = (row["scope"].partition(": ")[2],) if archetypes else (row["metric"], row["role"])
        rows.append((*first, row["arm"], *_figures(row)))
    first_names = ("archetype",) if archetypes else ("outcome", "role")
    header = (*first_names, "arm", "change", "from", "to", "share of control", "p, adjusted", "why not")
    at = len(first_names) + 1
    return _without_empty(header, rows, set(range(at, at + 5)))


def _without_empty(header: Sequence[str], rows: Sequence[Sequence[str]], right: set[int]) -> str:
    """A table without the columns in which there is nothing."""
    kept = [place for place in range(len(header)) if any(row[place] not in ("", _UNKNOWN) for row in rows)]
    shown = {new for new, old in enumerate(kept) if old in right}
    return text_table([header[old] for old in kept], [[row[old] for old in kept] for row in rows], right=shown)


def _figures(row: Mapping[str, Any]) -> tuple[str, ...]:
    ends = f"{percent(row['relative_low'])} to {percent(row['relative_high'])}"
    relative = _UNKNOWN if row["relative"] is None else f"{percent(row['relative'])} ({ends})"
    adjusted = row["p"] if row["adjustment"] == "none" else row["p_adjusted"]
    shown = _UNKNOWN if adjusted is None else "< .001" if adjusted < 0.001 else f"{adjusted:.3f}"
    numbers = (_number(row["estimate"]), _number(row["low"]), _number(row["high"]))
    return (*numbers, relative, shown, str(row["reason"] or ""))


def percent(value: float | None) -> str:
    """A change as a share, with its sign; an unknown end as `?`."""
    return "?" if value is None else f"{value:+,.1%}"


def _number(value: float | None) -> str:
    if value is None:
        return _UNKNOWN
    return f"{value:+,.0f}" if abs(value) >= 100 else f"{value:+,.3g}"


def _archetypes(record: AnalysisRecord) -> str:
    if all(row["scope"] == "all" for row in record.results):
        return ""
    return f"By archetype, drawn towards their mean (only suggests):\n{_effects(record, archetypes=True)}"


def _money(record: AnalysisRecord) -> str:
    if not record.money:
        return ""
    header = ("arm", "figure, per partner as drawn", record.pilot.currency, "from", "to", "why not")
    rows = [line for one in record.money for line in _money_rows(one)]
    title = "Cost and return, read once at the end (plain intervals)" if record.look is not None else "Cost and return"
    return f"{title}:\n{_without_empty(header, rows, {2, 3, 4})}"


def _money_rows(money: MoneyRecord) -> Iterator[tuple[str, ...]]:
    names = {"return_on_cost": "return on cost", "payback_months": "payback, months"}
    for row in money.rows:
        is_share = row["metric"] == "return_on_cost"
        shown = [percent(row[key]) if is_share else _number(row[key]) for key in ("estimate", "low", "high")]
        yield (money.arm, names.get(row["metric"], str(row["metric"])), *shown, str(row["reason"] or ""))


def _gate(record: AnalysisRecord) -> str:
    gate = record.sample_ratio
    sizes = ", ".join(f"{name} {gate.observed[name]:,} of {gate.expected[name]:,.0f}" for name in gate.observed)
    told = "as drawn" if gate.passed else "NOT as drawn, so no row has a number"
    lines = [f"Arms are {told}: {sizes} (p = {gate.p:.3f})."]
    lines += [
        f"{one.arm}: {one.share:.0%} of {one.units:,} got what was drawn."
        if one.share is not None
        else f"{one.arm}: what its {one.units:,} partners got is not recorded."
        for one in record.compliance
    ]
    gone = f"{record.left:,} left since, {record.unknown:,} are no longer in the sources"
    lines.append(f"{record.partners:,} partners as drawn; {gone}.")
    return "\n".join(lines)


def _amended(record: AnalysisRecord) -> Iterator[str]:
    for one in record.amendments:
        fields = ", ".join(change.field for change in one.changes)
        known = "after results were known" if one.results_known else "before any result was known"
        yield f"Amended on {one.on} by {one.by} ({fields}), {known}: {one.because}"


def _notes(notes: Sequence[str]) -> str:
    return "\n".join(["To know:", *(f"  {note}" for note in notes)]) if notes else ""


def _written(folder: Path, *names: str) -> str:
    return "\n".join(f"written: {folder / name}" for name in names)


def _value(value: object) -> str:
    return _UNKNOWN if value in (None, "", [], {}) else str(value)
