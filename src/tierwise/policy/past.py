"""What the tier history says about every partner on a review day: the only state that movement has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from tierwise.config.policy_movement import Movement
from tierwise.errors import Fault, InvalidInput
from tierwise.policy.tier_names import NO_TIER, arrow_text, equals, is_exit, tier_places

Places = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]
Mask = npt.NDArray[np.bool_]

NO_REVIEW = -9
TIER_COLUMNS = ("tier", "eligible_tier", "gain_tier", "keep_tier")
HISTORY_COLUMNS = ("partner_id", "as_of", "tier", "eligible_tier", "action", "rule")


@dataclass(frozen=True)
class Past:
    """The history before a review, one entry per partner in the order asked for.

    Attributes:
        known: Whether the partner has a tier history.
        current: The place of the current tier; -1 for none.
        exited: Whether the partner left the program.
        holds_tier: Whether the latest row names a tier at all.
        tier_since: The review that gave the current tier.
        first_review: The partner's first review.
        reviews_in_tier: Reviews that the current tier has lasted, the one that gave it included.
        gain: Places with the gaining band of the last reviews, the latest first; `NO_REVIEW` where there was none.
        keep: Likewise with the keeping band.
        reviews_below_entry: How many of the latest reviews in a row found the partner eligible for no tier.
        below_entry_since: The first of those reviews.
        notice_on: The review that gave notice of a demotion not yet made; not a date without one. Where the history
            did not keep it, the first of the latest reviews in a row that were decided by the grace.
    """

    known: Mask
    current: Places
    exited: Mask
    holds_tier: Mask
    tier_since: Days
    first_review: Days
    reviews_in_tier: Places
    gain: Places
    keep: Places
    reviews_below_entry: Places
    below_entry_since: Days
    notice_on: Days


def past_of(
    partners: pd.Series[str], history: pd.DataFrame, tiers: Sequence[str], as_of: date, movement: Movement
) -> Past:
    """Read the history of partners before a day.

    Args:
        partners: The partners, each once.
        history: One row per partner and review: `partner_id, as_of, tier, eligible_tier, action, rule`, and
            `gain_tier`, `keep_tier` where they were kept.
        tiers: The tiers' names, lowest first.
        as_of: Only earlier reviews count.
        movement: Says how many reviews back to look.

    Raises:
        InvalidInput: If the history lacks a column, holds a review of a partner twice, or a partner's tier is none of
            the policy's.
    """
    depth = max(movement.promote.confirm.of_last, movement.demote.confirm.of_last) - 1
    _check(history)
    given = movement.transition.renamed if movement.transition is not None else {}
    renamed = {old: new for old, new in given.items() if new in tiers}
    rows = _Rows.of(partners, _with_new_names(history, renamed), tiers, as_of)
    past = _read(rows, len(partners), depth)
    _check_tiers(past, partners, tiers)
    return past


def _with_new_names(history: pd.DataFrame, renamed: Mapping[str, str]) -> pd.DataFrame:
    columns = [name for name in TIER_COLUMNS if name in history.columns] if renamed else []
    return history.assign(**{name: history[name].replace(dict(renamed)) for name in columns})


def _check_tiers(past: Past, partners: pd.Series[str], tiers: Sequence[str]) -> None:
    """A tier that the policy does not have cannot be kept, raised or lowered; somebody must say what became of it."""
    unknown = np.flatnonzero(past.known & ~past.exited & (past.current == NO_TIER) & past.holds_tier)
    if len(unknown):
        examples = tuple(str(partners.iloc[row]) for row in unknown[:3])
        what = f"the latest tier of {len(unknown):,} partners in the tier history is none of {', '.join(tiers)}"
        todo = "say under movement.transition.renamed which tier of this policy each old one became"
        raise InvalidInput(Fault(what, "tier history", examples, todo))


@dataclass(frozen=True)
class _Rows:
    """The history's rows in order of partner and review, as arrays."""

    partner: Places
    as_of: Days
    tier: Places
    gain: Places
    keep: Places
    eligible: Places
    has_tier: Mask
    left: Mask
    in_grace: Mask
    notice_on: Days

    @classmethod
    def of(cls, partners: pd.Series[str], history: pd.DataFrame, tiers: Sequence[str], as_of: date) -> _Rows:
        ids = pc.index_in(arrow_text(history["partner_id"]), value_set=arrow_text(partners))
        position = np.asarray(ids.fill_null(-1), dtype=np.int64)
        days = history["as_of"].to_numpy().astype("datetime64[D]")
        wanted = np.flatnonzero((position >= 0) & (days < np.datetime64(as_of, "D")))
        order = wanted[np.lexsort((days[wanted], position[wanted]))]
        _check_twice(history, position[order], days[order], order)
        tier = tier_places(history["tier"], tiers)
        eligible, gain, keep = _qualified(history, tier, tiers)
        return cls(
            partner=position[order],
            as_of=days[order],
            tier=tier[order],
            gain=gain[order],
            keep=keep[order],
            eligible=eligible[order],
            has_tier=history["tier"].notna().to_numpy(dtype=bool)[order],
            left=is_exit(history["tier"])[order],
            in_grace=equals(history["rule"], "demotion_grace")[order],
            notice_on=_kept_notice(history)[order],
        )


def _check(history: pd.DataFrame) -> None:
    missing = [column for column in HISTORY_COLUMNS if column not in history.columns]
    if missing:
        raise InvalidInput(Fault(f"the tier history lacks {', '.join(missing)}", "tier history"))


def _check_twice(history: pd.DataFrame, partner: Places, days: Days, order: Places) -> None:
    twice = np.flatnonzero((partner[1:] == partner[:-1]) & (days[1:] == days[:-1]))
    if len(twice):
        examples = [f"{history['partner_id'].iloc[order[row]]} on {days[row]}" for row in twice[:3]]
        raise InvalidInput(Fault("the tier history holds a review of a partner twice", "tier history", tuple(examples)))


def _qualified(rows: pd.DataFrame, tier: Places, tiers: Sequence[str]) -> tuple[Places, Places, Places]:
    """What every past review found: eligible, with the gaining band, with the keeping band.

    Whoever is eligible for a tier also keeps one, so a missing `keep_tier` beside an eligible tier was not kept. Then
    the rule that decided tells: a move stopped by a band did not qualify.
    A row without eligible tier and action comes from an imported history and says nothing about eligibility.
    """
    imported = (rows["eligible_tier"].isna() & rows["action"].isna()).to_numpy(dtype=bool)
    eligible = np.where(imported, NO_REVIEW, tier_places(rows["eligible_tier"], tiers))
    gain = np.where(equals(rows["rule"], "promotion_band"), np.minimum(eligible, tier), eligible)
    keep = np.where(equals(rows["rule"], "demotion_band"), np.maximum(eligible, tier), eligible)
    if "gain_tier" in rows.columns and "keep_tier" in rows.columns:
        was_kept = (rows["keep_tier"].notna() | rows["eligible_tier"].isna()).to_numpy(dtype=bool) & ~imported
        gain = np.where(was_kept, tier_places(rows["gain_tier"], tiers), gain)
        keep = np.where(was_kept, tier_places(rows["keep_tier"], tiers), keep)
    return eligible, gain, keep


def _kept_notice(rows: pd.DataFrame) -> Days:
    if "notice_on" not in rows.columns:
        return np.full(len(rows), np.datetime64("NaT", "D"))
    return rows["notice_on"].to_numpy().astype("datetime64[D]")


def _read(rows: _Rows, partners: int, depth: int) -> Past:
    count = np.bincount(rows.partner, minlength=partners)
    end = np.cumsum(count)
    known = count > 0
    last, first = (end - 1)[known], (end - count)[known]
    from_end = np.repeat(end - 1, count) - np.arange(len(rows.partner))

    def latest(values: npt.NDArray[np.generic], empty: object) -> npt.NDArray[np.generic]:
        found = np.full(partners, empty, dtype=values.dtype)
        found[known] = values[last]
        return found

    def at(values: Days, where: Places) -> Days:
        found = np.full(partners, np.datetime64("NaT", "D"))
        found[known] = values[where]
        return found

    tier_start = _run_start(rows.tier, rows.partner)[last]
    below = rows.eligible == NO_TIER
    below_start = _run_start(below, rows.partner)[last]
    is_below = np.zeros(partners, dtype=bool)
    is_below[known] = below[last]
    grace_start = _run_start(rows.in_grace, rows.partner)[last]
    in_grace = np.zeros(partners, dtype=bool)
    in_grace[known] = rows.in_grace[last]
    missing = np.datetime64("NaT", "D")
    kept_notice = at(rows.notice_on, last)
    notice = np.where(in_grace, at(rows.as_of, grace_start), missing)
    return Past(
        known=known,
        current=latest(rows.tier, NO_TIER).astype(np.int64),
        exited=latest(rows.left, False).astype(bool),
        holds_tier=latest(rows.has_tier, False).astype(bool),
        tier_since=at(rows.as_of, tier_start),
        first_review=at(rows.as_of, first),
        reviews_in_tier=_spread(last - tier_start + 1, known),
        gain=_last(rows.gain, rows.partner, from_end, partners, depth),
        keep=_last(rows.keep, rows.partner, from_end, partners, depth),
        reviews_below_entry=np.where(is_below, _spread(last - below_start + 1, known), 0),
        below_entry_since=np.where(is_below, at(rows.as_of, below_start), missing),
        notice_on=np.where(np.isnat(kept_notice), notice, kept_notice),
    )


def _run_start(values: npt.NDArray[np.generic], partner: Places) -> Places:
    """For every row, the first row of the run of equal values of the same partner that it ends."""
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    starts = np.ones(len(values), dtype=bool)
    starts[1:] = (values[1:] != values[:-1]) | (partner[1:] != partner[:-1])
    found: Places = np.maximum.accumulate(np.where(starts, np.arange(len(values)), 0))
    return found


def _spread(values: Places, known: Mask) -> Places:
    found = np.zeros(len(known), dtype=np.int64)
    found[known] = values
    return found


def _last(values: Places, partner: Places, from_end: Places, partners: int, depth: int) -> Places:
    found = np.full((partners, depth), NO_REVIEW, dtype=np.int64)
    recent = from_end < depth
    found[partner[recent], from_end[recent]] = values[recent]
    return found
