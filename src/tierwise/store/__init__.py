"""Files, databases and artefact folders: the only reader and writer of tables and models."""

from tierwise.store.bundle import Bundle, Part, grouped, load_bundle, save_bundle
from tierwise.store.results import WrittenReview, list_reviews, read_review, read_table, tier_history, verify_review
from tierwise.store.sources import SourceRead, SourcesRead, read_tables
from tierwise.store.writer import Review, write_frame, write_review, write_text
from tierwise.store.writer_lock import OutputLock, lock_output
from tierwise.store.writer_sql import write_postgresql

__all__ = [
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
    "read_review",
    "read_table",
    "read_tables",
    "save_bundle",
    "tier_history",
    "verify_review",
    "write_frame",
    "write_postgresql",
    "write_review",
    "write_text",
]
