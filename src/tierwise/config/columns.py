"""Which columns have a set meaning, and which are attributes of partners."""

from __future__ import annotations

from types import MappingProxyType

from tierwise.config.workspace import ColumnType, TableKind, WorkspaceSettings

ROLE_COLUMNS = MappingProxyType[TableKind, tuple[str, ...]](
    {
        "partners": ("partner_id",),
        "events": ("partner_id", "date"),
        "history": ("partner_id", "valid_from"),
        "tier_history": ("partner_id", "valid_from", "tier"),
    }
)
DATE_COLUMNS = frozenset({"date", "known_on", "valid_from", "joined_on", "left_on"})
ROLE_TYPES = MappingProxyType[str, tuple[ColumnType, ...]](
    {
        **dict.fromkeys(sorted(DATE_COLUMNS), ("date", "timestamp")),
        **dict.fromkeys(("partner_id", "tier"), ("text",)),
    }
)
_NEVER_ATTRIBUTES = DATE_COLUMNS | {"partner_id", "name"}

RESERVED_NAMES = frozenset(
    {
        "as_of", "partner_id", "name", "first_seen", "tenure_days", "run_id",
        "archetype", "archetype_id", "archetype_strength", "archetype_status", "archetype_reason", "nearest_other",
        "potential", "potential_low", "potential_high", "potential_source", "headroom",
        "tier", "current_tier", "eligible_tier", "recommended_tier", "next_tier", "action", "rule", "reason_code",
        "approval_role", "model_version", "policy_version", "data_fingerprint",
    }
)  # fmt: skip


def attributes(settings: WorkspaceSettings, only: str | None = None) -> dict[str, str]:
    """The attributes of partners: static columns of the partner table, and every other column of history tables.

    Args:
        settings: The workspace's settings.
        only: Look at this table alone.

    Returns:
        Each attribute's table; of two tables with the same attribute the first.
    """
    found: dict[str, str] = {}
    for name, table in settings.tables.items():
        if only not in (None, name) or table.kind not in ("partners", "history"):
            continue
        for column, column_settings in table.columns.items():
            if column not in _NEVER_ATTRIBUTES and (table.kind == "history" or column_settings.static):
                found.setdefault(column, name)
    return found
