"""Why figures changed since the review before: what is stored for it, and the split into data, model and policy."""

from __future__ import annotations

import pandas as pd

MODEL_OUTPUTS = (
    "archetype_id", "archetype", "archetype_strength", "archetype_status",
    "potential", "potential_low", "potential_high", "potential_source", "headroom",
)  # fmt: skip


def stored_metrics(inputs: pd.DataFrame) -> pd.DataFrame:
    """The metric values, attributes and flags of a review: the policy's inputs but for what the models made of them."""
    return inputs.drop(columns=["as_of", *MODEL_OUTPUTS], errors="ignore")
