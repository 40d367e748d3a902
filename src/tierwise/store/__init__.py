"""Files, databases and artefact folders: the only reader and writer of tables and models.

The names are loaded when they are first used, so that reading one partner's page does not wait for the engine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tierwise.store.bundle import Bundle, Part, grouped, load_bundle, save_bundle
    from tierwise.store.manifests import WrittenReview, list_reviews, read_review
    from tierwise.store.results import read_parts, read_table, tier_history, verify_review
    from tierwise.store.sources import SourceRead, SourcesRead, read_tables
    from tierwise.store.writer import refuse_large_sheets, write_blocks, write_frame, write_review, write_text
    from tierwise.store.writer_lock import OutputLock, lock_output
    from tierwise.store.writer_review import Block, Review
    from tierwise.store.writer_sql import write_postgresql

_HOMES = {
    "bundle": "Bundle Part grouped load_bundle save_bundle",
    "manifests": "WrittenReview list_reviews read_review",
    "results": "read_parts read_table tier_history verify_review",
    "sources": "SourceRead SourcesRead read_tables",
    "writer": "refuse_large_sheets write_blocks write_frame write_review write_text",
    "writer_lock": "OutputLock lock_output",
    "writer_review": "Block Review",
    "writer_sql": "write_postgresql",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"tierwise.store.{_HOME_OF[name]}"), name)


__all__ = [
    "Block",
    "Bundle",
    "OutputLock",
    "Part",
    "Review",
    "SourceRead",
    "SourcesRead",
    "WrittenReview",
    "grouped",
    "list_reviews",
    "load_bundle",
    "lock_output",
    "read_parts",
    "read_review",
    "read_table",
    "read_tables",
    "refuse_large_sheets",
    "save_bundle",
    "tier_history",
    "verify_review",
    "write_blocks",
    "write_frame",
    "write_postgresql",
    "write_review",
    "write_text",
]
