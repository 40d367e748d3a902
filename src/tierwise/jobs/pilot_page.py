"""The page and the pictures of a reading, from the kept records."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from tierwise.reports.pilot_story import PilotStory
from tierwise.store.pilot_folder import KeptPilot
from tierwise.store.pilot_records import AnalysisRecord


def story_of(record: AnalysisRecord, kept: KeptPilot, tables: Mapping[str, pd.DataFrame]) -> PilotStory:
    """Put a reading together with what came before it; what came later is left out, so that a page does not change."""
    drawn = kept.assignment
    designs = [one.record for one in kept.designs if one.record.source.as_of < record.pilot.starts]
    return PilotStory(
        analysis=record,
        tables={**tables, **({} if drawn is None else {"balance": drawn.tables["balance"]})},
        assignment=None if drawn is None else drawn.record,
        design=designs[-1] if designs else None,
        earlier=tuple(one.record for one in kept.analyses if one.record.source.as_of < record.source.as_of),
    )
