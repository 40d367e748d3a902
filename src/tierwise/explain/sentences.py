"""The reason catalog: every reason code with the sentence for a manager and the one for the partner itself.

English. A translation is one more file like this. A placeholder in braces is filled by `tierwise.explain.reasons`;
a partner-safe sentence names no other partner and no internal weight.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sentence:
    """A reason's two wordings."""

    meaning: str
    manager: str
    partner_safe: str
