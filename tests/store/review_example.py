"""A small review to write, and its frames."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from tierwise.store import Review

AS_OF = date(2026, 9, 30)
VERSIONS = {"model": "3", "policy": "standard@2026-07-01"}


def recommendations(partners: int = 3, seed: int = 1) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"partner_id": [f"P{number:05d}" for number in range(partners)]})
    return frame.assign(
        partner_name=None,
        current_tier="entry",
        eligible_tier="growth",
        recommended_tier=None,
        action="promote",
        rule="growth",
        reason_code="meets_growth",
        archetype_id="a1",
        archetype="steady sellers",
        archetype_strength=draw.random(partners),
        archetype_status="named",
        archetype_reason="orders 12 (typical here 11, in the nearest other 3)",
        nearest_other="a2",
        potential=draw.gamma(2, 1000, partners),
        potential_low=np.nan,
        potential_high=np.nan,
        potential_source="model",
        headroom=0.0,
        value=draw.random(partners),
        next_tier="strategic",
        approval_role=None,
        pending_tier=None,
        effective_on=pd.NaT,
        notice_on=pd.NaT,
        grace_until=pd.NaT,
        gain_tier="growth",
        keep_tier="growth",
        model_version="3",
        policy_version="standard@2026-07-01",
        data_fingerprint="f00d",
    )


def reasons(partners: int = 3) -> pd.DataFrame:
    frame = pd.DataFrame({"partner_id": [f"P{number:05d}" for number in range(partners)], "rank": 1})
    return frame.assign(code="meets_growth", sentence="Zoë's sales grew.", partner_safe_sentence="Your sales grew.")


def review(run_id: str = "run-1", partners: int = 3, **changes: object) -> Review:
    tables = {"recommendations": recommendations(partners), "reasons": reasons(partners)}
    return Review(
        **{
            "as_of": AS_OF,
            "run_id": run_id,
            "tables": tables,
            "versions": VERSIONS,
            "score_columns": ("value",),
            **changes,
        }
    )
