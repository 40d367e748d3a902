"""Drawing units into arms: blocks of like units within strata, whole clusters, redrawn until balanced, reproducible.

Sources: Imai, King & Nall (2009) on matched pairs; Morgan & Rubin, "Rerandomization to improve covariate balance in
experiments", Annals of Statistics 40 (2012).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.pilot import AssignmentSettings
from tierwise.errors import Fault, InvalidInput
from tierwise.pilots.balance import balance_table, imbalance
from tierwise.pilots.units import ARM, KEY, LARGEST_VALUE, column_faults, recode

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
STRATUM, BLOCK = "stratum", "block"
_MOST_PARTS = 100
_NEAR = 0.02


@dataclass(frozen=True)
class Assignment:
    """A drawn assignment.

    Attributes:
        rows: One row per partner, sorted: `partner_id`, `arm`, `stratum`, `block`, and the cluster's column.
        balance: One row per balanced column and arm, see `balance_table`.
        draws: How many draws were made; 1 where balance asked for nothing.
        imbalance: The Mahalanobis distance of the arms that was kept; 0 where balance asked for nothing.
        hash: SHA-256 of the lines `partner_id<tab>arm`, in order: the proof of what was drawn.
    """

    rows: pd.DataFrame
    balance: pd.DataFrame
    draws: int
    imbalance: float
    hash: str


@dataclass(frozen=True)
class _Drawn:
    """What is drawn: one row per cluster, or per partner; sorted by name."""

    names: NDArray[np.object_]
    strata: Codes
    blocks: Codes
    balance: Floats
    sizes: Floats


def assign(units: pd.DataFrame, settings: AssignmentSettings) -> Assignment:
    """Draw units into arms.

    Args:
        units: One row per partner with `partner_id` and the columns that the settings name.
        settings: Arms, strata, matching, clusters, balance and the seed. The first arm is the control.

    Returns:
        The assignment: the same units and settings give the same one, in whatever order the rows come.

    Raises:
        InvalidInput: With every fault: a missing column, a partner twice, a value missing in a column to match on, a
            cluster in two strata, fewer units than arms.
    """
    faults = list(_faults(units, settings))
    if faults:
        raise InvalidInput(faults)
    rows = units.assign(**{KEY: units[KEY].astype(str)}).sort_values(KEY, kind="stable", ignore_index=True)
    names = (rows[settings.cluster] if settings.cluster else rows[KEY]).astype(str).to_numpy(dtype=object)
    drawn = _drawn(rows, names, settings)
    arm, draws, distance = _balanced(drawn, settings)
    place = pd.Index(drawn.names).get_indexer(pd.Index(names))
    arms = np.array(list(settings.arms), dtype=object)
    found = pd.DataFrame(
        {
            KEY: rows[KEY],
            ARM: arms[arm[place]],
            STRATUM: stratum_names(rows, settings.strata),
            BLOCK: drawn.blocks[place],
        }
    )
    if settings.cluster:
        found[settings.cluster] = names
    columns = tuple(dict.fromkeys((*settings.balance, *settings.match_on)))
    table = balance_table(rows.assign(**{ARM: found[ARM]}), columns, tuple(settings.arms))
    return Assignment(found, table, draws, distance, assignment_hash(found))


def assignment_hash(rows: pd.DataFrame) -> str:
    """SHA-256 of who is in which arm, whatever the order of the rows."""
    pairs = sorted(zip(rows[KEY].astype(str), rows[ARM].astype(str), strict=True))
    return hashlib.sha256("".join(f"{partner}\t{arm}\n" for partner, arm in pairs).encode()).hexdigest()


def _faults(units: pd.DataFrame, settings: AssignmentSettings) -> Iterator[Fault]:
    cluster = [settings.cluster] if settings.cluster else []
    names = dict.fromkeys((KEY, *settings.strata, *settings.match_on, *settings.balance, *cluster))
    faults = list(column_faults(units, names))
    if faults:
        yield from faults
        return
    twice = units[KEY].astype(str).duplicated(keep=False) & units[KEY].notna()
    if twice.any():
        yield Fault("a partner stands twice", KEY, tuple(sorted(set(units.loc[twice, KEY].astype(str)))[:3]))
    for name in (KEY, *settings.strata, *cluster):
        if units[name].isna().any():
            yield Fault(f"{int(units[name].isna().sum())} values are missing", name, todo="give the unknown a name")
    for name in dict.fromkeys((*settings.match_on, *settings.balance)):
        numbers = pd.to_numeric(units[name], errors="coerce").to_numpy(dtype=float)
        bad = ~(np.abs(numbers) <= LARGEST_VALUE)
        if bad.any():
            examples = tuple(sorted(units.loc[bad, KEY].astype(str))[:3])
            yield Fault(f"{int(bad.sum())} values are missing or no numbers", name, examples)
    count = units[settings.cluster or KEY].nunique()
    if count < len(settings.arms):
        yield Fault(f"{count} units cannot be drawn into {len(settings.arms)} arms", settings.cluster or KEY)
    yield from _mixed_strata(units, settings)


def _mixed_strata(units: pd.DataFrame, settings: AssignmentSettings) -> Iterator[Fault]:
    if settings.cluster is None or not settings.strata:
        return
    kinds = units.groupby(settings.cluster)[list(settings.strata)].nunique().max(axis=1)
    if (kinds > 1).any():
        what = f"{int((kinds > 1).sum())} clusters have partners in more than one stratum"
        examples = tuple(sorted(kinds.index[kinds > 1].astype(str))[:3])
        yield Fault(what, settings.cluster, examples, "stratify by figures of the cluster")


def stratum_names(rows: pd.DataFrame, strata: Sequence[str]) -> NDArray[np.object_]:
    """The stratum of every row, `all` where there are none."""
    if not strata:
        return np.full(len(rows), "all", dtype=object)
    return rows[list(strata)].astype(str).agg(" / ".join, axis=1).to_numpy(dtype=object)


def _drawn(rows: pd.DataFrame, names: NDArray[np.object_], settings: AssignmentSettings) -> _Drawn:
    drawn, first, codes = np.unique(names, return_index=True, return_inverse=True)
    sizes = np.bincount(codes).astype(float)

    def mean_of(columns: tuple[str, ...]) -> Floats:
        values = rows[list(columns)].to_numpy(dtype=float)
        parts = [np.bincount(codes, values[:, place]) / sizes for place in range(values.shape[1])]
        return np.column_stack(parts) if parts else np.empty((len(drawn), 0))

    strata = recode(stratum_names(rows, settings.strata)[first])
    match = mean_of(settings.match_on)
    if settings.cluster and settings.match_on:
        match = np.column_stack([match, sizes])
    per_block = sum(whole_shares(settings.arms))
    blocks = blocks_of(strata, match, per_block)
    # What is matched on is balanced already. To balance it once more would only choose which way round the few pairs
    # of the largest partners go, and leave so few draws that no test of the effect holds its error rate.
    balance = mean_of(tuple(name for name in dict.fromkeys(settings.balance) if name not in settings.match_on))
    return _Drawn(drawn, strata, blocks, balance, sizes)


def whole_shares(arms: dict[str, float]) -> tuple[int, ...]:
    """The shares as small whole numbers: 1:1 gives (1, 1), 0.5:0.25:0.25 gives (2, 1, 1)."""
    shares = np.array(list(arms.values()))
    for parts in range(len(shares), _MOST_PARTS + 1):
        counts = shares / shares.sum() * parts
        if np.allclose(counts, np.round(counts), atol=1e-6) and np.round(counts).min() >= 1:
            return tuple(int(count) for count in np.round(counts))
    # A small arm needs many parts: of sixty, one percent would become nearly two, and the gate would not let it pass.
    parts = next((parts for parts in (100, 1000) if _is_near(shares, parts)), 1000)
    counts = np.maximum(1, np.round(shares / shares.sum() * parts))
    return tuple(int(count) for count in counts)


def _is_near(shares: Floats, parts: int) -> bool:
    counts = shares / shares.sum() * parts
    return bool((np.abs(np.round(counts) - counts) <= _NEAR * counts).all())


def blocks_of(strata: Codes, match: Floats, per_block: int) -> Codes:
    """Neighbours in the order of the figures to match on, within a stratum; what is left over forms a block.

    Args:
        strata: Shape (n,).
        match: The figures to match on, shape (n, c); without any, the strata are the blocks.
        per_block: Units of a whole block.
    """
    if not match.shape[1]:
        return strata
    spread = match.std(axis=0)
    ranked = np.argsort(np.argsort(match, axis=0, kind="stable"), axis=0).astype(float)
    score = ranked[:, spread > 0].sum(axis=1) if match.shape[1] > 1 else match[:, 0]
    order = np.lexsort((np.arange(len(strata)), score, strata))
    sizes = np.bincount(strata)
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    starts = np.diff(strata[order], prepend=-1) != 0
    blocks = np.empty(len(strata), dtype=np.int64)
    blocks[order] = np.cumsum(starts | (place % per_block == 0)) - 1
    return blocks


def draw_arms(blocks: Codes, parts: tuple[int, ...], rng: np.random.Generator) -> Codes:
    """Draw every block; blocks that the shares do not divide are filled in random order of the arms."""
    arm = np.empty(len(blocks), dtype=np.int64)
    pattern = np.repeat(np.arange(len(parts)), parts)
    order = np.lexsort((rng.random(len(arm)), blocks))
    sizes = np.bincount(blocks)
    places = np.arange(len(arm)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    full = places < np.repeat(sizes // len(pattern) * len(pattern), sizes)
    arm[order[full]] = pattern[places[full] % len(pattern)]
    rest = order[~full]
    queue = np.concatenate([rng.permutation(pattern) for _ in range(len(rest) // len(pattern) + 1)])
    arm[rest] = queue[: len(rest)]
    return arm


def _balanced(drawn: _Drawn, settings: AssignmentSettings) -> tuple[Codes, int, float]:
    rng, parts = np.random.default_rng(settings.seed), whole_shares(settings.arms)
    if not drawn.balance.shape[1]:
        return draw_arms(drawn.blocks, parts, rng), 1, 0.0
    trials = max(1, min(settings.most_draws, round(1 / settings.acceptance)))
    best: tuple[float, Codes] | None = None
    for _ in range(trials):
        arm = draw_arms(drawn.blocks, parts, rng)
        distance = imbalance(drawn.balance, arm, len(parts))
        if best is None or distance < best[0]:
            best = (distance, arm)
    if best is None:
        raise AssertionError("at least one draw was made")
    return best[1], trials, best[0]
