"""Names that the runs, versions and artefacts in MLflow carry."""

from __future__ import annotations

CHAMPION = "champion"
CHALLENGER = "challenger"
BUNDLE = "bundle"
TAG_PREFIX = "tierwise."
MODEL_CARD = "model-card.md"
