"""What one training made, before it is logged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from tierwise.archetypes import ArchetypeModel, archetype_notes
from tierwise.config.load import Workspace
from tierwise.config.model_spec import FeatureSet, ModelSpec
from tierwise.jobs.stability import Stability
from tierwise.potential import Backtest, Leaks, PotentialModel, TierEffect, Tuning


@dataclass(frozen=True)
class Learned:
    """The models of one training, what they learned from, and how they did.

    Attributes:
        workspace: The workspace.
        as_of: The as-of date.
        data_fingerprint: The fingerprint of the accepted tables.
        features: The columns the models use.
        spec: The hyper-parameters.
        snapshots: The snapshots, labelled and of the as-of date.
        potential: The potential model.
        backtest: The rolling-origin back-test.
        archetypes: The archetype model.
        assigned: Each partner's archetype as of the date.
        leaks: What the guards against leaks found.
        tier_effect: How much rests on the current tier, where it was asked for as a feature.
        tuning: The search for better hyper-parameters, where one was asked for.
        stability: What training again on drawn partners told.
    """

    workspace: Workspace
    as_of: date
    data_fingerprint: str
    features: FeatureSet
    spec: ModelSpec
    snapshots: pd.DataFrame
    potential: PotentialModel
    backtest: Backtest
    archetypes: ArchetypeModel
    assigned: pd.DataFrame
    leaks: Leaks
    tier_effect: TierEffect | None = None
    tuning: Tuning | None = None
    stability: Stability | None = None

    @property
    def current(self) -> pd.DataFrame:
        """The metric rows of the as-of date."""
        rows = self.snapshots[self.snapshots["as_of"] == pd.Timestamp(self.as_of)]
        return rows.reset_index(drop=True)

    @property
    def labelled(self) -> pd.DataFrame:
        """The snapshots whose horizon is over."""
        return self.snapshots[self.snapshots["label"].notna()]

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be done, and why."""
        found = self.potential.diagnostics
        rows = zip(found["code"], found["message"], found["value"], strict=True)
        notes = tuple(f"{code}: {message}" + (f" ({value})" if value else "") for code, message, value in rows)
        tuned = () if self.tuning is None else (f"tuning: {self.tuning.sentence}",)
        return (*notes, *archetype_notes(self.archetypes), *tuned)

    @property
    def archetypes_sentence(self) -> str:
        """What was found, or why nothing was."""
        if not self.archetypes.supported:
            return f"No archetypes are supported: {self.archetypes.sentence}"
        return f"{len(self.archetypes.archetypes)} archetypes: {self.archetypes.sentence}"

    @property
    def composition(self) -> pd.DataFrame:
        """Partners and share per archetype; one without a name is shown by its id."""
        assigned = self.assigned.dropna(subset=["archetype_id"])
        unnamed = assigned["archetype_id"] + " (too unstable to name)"
        shown = assigned.assign(archetype=assigned["archetype"].fillna(unnamed))
        counts = shown.groupby(["archetype_id", "archetype"], as_index=False).agg(partners=("partner_id", "size"))
        return counts.assign(share=counts["partners"] / max(len(self.assigned), 1))
