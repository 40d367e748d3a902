"""The output tables that explain: plans, why figures changed, similar partners, and the metric values behind them."""

from __future__ import annotations

from tierwise.tables.output_table import DAY, NUMBER, REVIEW_COLUMNS, TEXT, WHOLE, YES_NO, OutputTable

PLANS = OutputTable(
    "plans",
    {
        **REVIEW_COLUMNS,
        "partner_id": TEXT,
        "plan": WHOLE,
        "code": TEXT,
        "reaches_tier": TEXT,
        "steps": WHOLE,
        "effort": NUMBER,
        "quarters": WHOLE,
        "by_when": DAY,
        "closes": TEXT,
        "valid": YES_NO,
        "robustness": NUMBER,
        "expires_on": DAY,
        "sentence": TEXT,
        "partner_safe_sentence": TEXT,
        "gains": TEXT,
        "costs": TEXT,
    },
    key=("partner_id", "plan"),
    required=("code", "sentence", "partner_safe_sentence"),
)

CHANGES = OutputTable(
    "changes",
    {
        **REVIEW_COLUMNS,
        "partner_id": TEXT,
        "target": TEXT,
        "previous_as_of": DAY,
        "code": TEXT,
        "unit": TEXT,
        "value_before": NUMBER,
        "value_now": NUMBER,
        "from_data": NUMBER,
        "from_model": NUMBER,
        "from_policy": NUMBER,
    },
    key=("partner_id", "target"),
    required=("previous_as_of", "code"),
)

MOVED_METRICS = OutputTable(
    "moved_metrics",
    {
        **REVIEW_COLUMNS,
        "partner_id": TEXT,
        "rank": WHOLE,
        "metric": TEXT,
        "value_before": NUMBER,
        "value_now": NUMBER,
        "effect": NUMBER,
        "size": NUMBER,
    },
    key=("partner_id", "rank"),
    required=("metric",),
)

SIMILAR_PARTNERS = OutputTable(
    "similar_partners",
    {
        **REVIEW_COLUMNS,
        "partner_id": TEXT,
        "rank": WHOLE,
        "move": WHOLE,
        "code": TEXT,
        "peer_id": TEXT,
        "peer_tier": TEXT,
        "alike_as_of": DAY,
        "matched_on": TEXT,
        "distance": NUMBER,
        "metric": TEXT,
        "from": NUMBER,
        "to": NUMBER,
    },
    key=("partner_id", "rank", "move"),
    required=("code",),
    manager_only=True,
)

METRICS = OutputTable("metrics", {**REVIEW_COLUMNS, "partner_id": TEXT}, key=("partner_id",), is_open=True)
