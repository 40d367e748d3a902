"""The output tables of tracks and of partners placed unit by unit: their columns, types and keys."""

from __future__ import annotations

from tierwise.tables.output_table import DAY, NUMBER, REVIEW_COLUMNS, TEXT, YES_NO, OutputTable

TRACKS = OutputTable(
    "tracks",
    {
        **REVIEW_COLUMNS,
        "partner_id": TEXT,
        "track": TEXT,
        "current_tier": TEXT,
        "eligible_tier": TEXT,
        "recommended_tier": TEXT,
        "action": TEXT,
        "rule": TEXT,
        "reason_code": TEXT,
        "next_tier": TEXT,
        "approval_role": TEXT,
        "pending_tier": TEXT,
        "effective_on": DAY,
        "notice_on": DAY,
        "grace_until": DAY,
        "gain_tier": TEXT,
        "keep_tier": TEXT,
    },
    key=("partner_id", "track"),
    required=("action",),
)

UNITS = OutputTable(
    "units",
    {
        **REVIEW_COLUMNS,
        "partner_id": TEXT,
        "unit": TEXT,
        "eligible_tier": TEXT,
        "next_tier": TEXT,
        "decides": YES_NO,
        "gain_tier": TEXT,
        "keep_tier": TEXT,
    },
    key=("partner_id", "unit"),
    required=("decides",),
)

UNIT_CRITERIA = OutputTable(
    "unit_criteria",
    {
        **REVIEW_COLUMNS,
        "partner_id": TEXT,
        "unit": TEXT,
        "tier": TEXT,
        "criterion": TEXT,
        "expression": TEXT,
        "metric": TEXT,
        "operator": TEXT,
        "threshold": NUMBER,
        "value": NUMBER,
        "met": TEXT,
        "gap": NUMBER,
        "route": TEXT,
        "cheapest": YES_NO,
    },
    key=("partner_id", "unit", "tier", "criterion"),
    required=("expression", "met"),
)
