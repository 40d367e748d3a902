"""docs/reason-codes.md: every reason code with its meaning and both wordings, made from the catalog."""

from __future__ import annotations

from collections.abc import Mapping

from tierwise.explain.peers import PEER_CODES
from tierwise.explain.sentences import DECIDING, PARTNER_SAFE_OF_INTERNAL, PHRASES, SUPPORTING, Sentence

HEAD = """# Reason codes

Made from `src/tierwise/explain/sentences.py` by `make docs`. All English of the reasons is in that file; a translation
is one more file like it. Words in braces are filled from the stored rows of the review: figures with their unit, the
as-of date, and medians of at least ten partners. The partner's wording names no other partner, no score, no weight and
no figure of a model.
"""
DECIDES = "The first reason of every partner: what the movement rule or a guardrail made of it."
SUPPORTS = "The criterion, the score and the potential behind it, at most one of each."


def page() -> str:
    """Make the page."""
    parts = [
        HEAD,
        _section("The deciding reason", DECIDES, DECIDING),
        _section("Supporting reasons", SUPPORTS, SUPPORTING),
        _internal(),
        _pieces(),
        _peers(),
    ]
    return "\n".join(parts)


def _section(title: str, lead: str, sentences: Mapping[str, Sentence]) -> str:
    rows = [f"| `{code}` | {each.meaning} | {each.manager} | {each.partner_safe} |" for code, each in sentences.items()]
    head = ["| code | means | to the manager | to the partner |", "| --- | --- | --- | --- |"]
    return "\n".join([f"## {title}", "", lead, "", *head, *rows, ""])


def _internal() -> str:
    rows = [f"| `{code}` | {text} |" for code, text in PARTNER_SAFE_OF_INTERNAL.items()]
    lead = "Where the criterion is about a score, the potential or the headroom, the partner reads no values:"
    return "\n".join([lead, "", "| code | to the partner |", "| --- | --- |", *rows, ""])


def _pieces() -> str:
    rows = [f"| `{name}` | `{text.replace('|', '')}` |" for name, text in PHRASES.items()]
    lead = "Pieces that the sentences are put together from:"
    return "\n".join([lead, "", "| piece | English |", "| --- | --- |", *rows, ""])


def _peers() -> str:
    rows = [f"| `{code}` | {text} |" for code, text in PEER_CODES.items()]
    lead = (
        "Whether a partner is compared with peers (`reason_code` of the table `baselines`; `whole_channel` otherwise):"
    )
    return "\n".join(["## Peers", "", lead, "", "| code | means |", "| --- | --- |", *rows, ""])
