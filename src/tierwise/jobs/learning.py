"""What training and back-testing share: the data they learn from, archetypes, and the test on past reviews."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from tierwise import archetypes, potential
from tierwise.archetypes import ArchetypeModel
from tierwise.config.load import Workspace
from tierwise.config.model_spec import FeatureSet, ModelSpec
from tierwise.engine import Engine
from tierwise.errors import Fault, InvalidInput
from tierwise.jobs.leak_guards import guard, history_facts
from tierwise.jobs.snapshots import archetype_features, build_snapshots, departed
from tierwise.potential import Backtest, Leaks
from tierwise.tables import fingerprint
from tierwise.tracking import Registry

ARCHETYPE = "archetype"
NONE = "(none)"
ROWS_AT_A_TIME = 100_000


@dataclass(frozen=True)
class LearningData:
    """What a model learns from as of a date.

    Attributes:
        as_of: The as-of date.
        snapshots: The labelled snapshots of past quarter ends and the rows of the as-of date.
        facts: The partners' history on record, for the guards against leaks.
        data_fingerprint: The fingerprint of the accepted tables.
        departed: The partners that had left by the as-of date.
    """

    as_of: date
    snapshots: pd.DataFrame
    facts: pd.DataFrame
    data_fingerprint: str
    departed: frozenset[str] = frozenset()

    @property
    def current(self) -> pd.DataFrame:
        """The rows of the as-of date."""
        return self.snapshots[self.snapshots["as_of"] == pd.Timestamp(self.as_of)].reset_index(drop=True)


def learning_data(engine: Engine, workspace: Workspace, as_of: date) -> LearningData:
    """Compute what can be learned from as of a date.

    Raises:
        InvalidInput: If no partner is known on that date.
    """
    snapshots = build_snapshots(engine, workspace, as_of)
    facts = history_facts(engine, workspace)
    data = LearningData(
        as_of, snapshots, facts, fingerprint(engine, workspace, as_of), departed(engine, workspace, as_of)
    )
    if data.current.empty:
        todo = "take a later as-of date"
        raise InvalidInput(Fault(f"no partner is known yet on {as_of}", "partners", todo=todo))
    return data


def find_archetypes(workspace: Workspace, spec: ModelSpec, data: LearningData, registry: Registry) -> ArchetypeModel:
    """Find the archetypes of the partners that are there; they carry on the identities of the version in force."""
    present = data.current[~data.current["partner_id"].isin(data.departed)].reset_index(drop=True)
    by, seed = archetype_features(workspace), workspace.settings.seed
    return archetypes.fit(present, by, spec.archetypes, seed, previous=_archetypes_in_force(registry))


def _archetypes_in_force(registry: Registry) -> ArchetypeModel | None:
    if not any("champion" in version["aliases"] for version in registry.versions()):
        return None
    return archetypes.from_parts(registry.load_champion().bundle.group("archetypes"))


def judge_on_past_reviews(
    workspace: Workspace, spec: ModelSpec, features: FeatureSet, data: LearningData, found: ArchetypeModel
) -> tuple[Backtest, Leaks]:
    """Back-test the recipe, its error cut by the workspace's segments and the archetypes, and run all guards.

    The archetypes are those of the as-of date, applied to the figures that partners had at each review.
    """
    segments = [name for name in vars(workspace.settings.segments).values() if name]
    snapshots, seed = data.snapshots, workspace.settings.seed
    if found.supported:
        shown = shown_archetypes(found, snapshots)
        snapshots, segments = snapshots.assign(**{ARCHETYPE: shown.to_numpy()}), [*segments, ARCHETYPE]
    as_of = pd.Timestamp(data.as_of)
    tested = potential.backtest(snapshots, features, spec.potential, as_of, seed, segments)
    leaks = guard(workspace, spec, data.snapshots, tested.leaks, data.facts)
    return replace(tested, leaks=leaks.tested), leaks


def shown_archetypes(found: ArchetypeModel, snapshots: pd.DataFrame) -> pd.Series:
    """Name the archetype of every snapshot, some at a time: the space of all of them would be as large as they are."""
    starts = range(0, len(snapshots), ROWS_AT_A_TIME)
    blocks = [archetypes.assign(found, snapshots.iloc[at : at + ROWS_AT_A_TIME], reasons=False) for at in starts]
    assigned = pd.concat(blocks, ignore_index=True)
    shown: pd.Series = assigned["archetype"].fillna(assigned["archetype_id"]).fillna(NONE)
    return shown
