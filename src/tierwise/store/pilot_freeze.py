"""A pilot's file in the form that is frozen, and what a later file changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tierwise.config.pilot_file import PilotFile
from tierwise.store.pilot_records import ChangeRecord

# What the draw was made from: no amendment can change it, because the draw has been made.
DRAWN_BY = ("starts", "unit", "population", "strata", "match_on", "draw")


def canonical(settings: PilotFile) -> dict[str, Any]:
    """The settings as plain values, defaults filled in; comments and the order of keys do not count.

    The arms stay in their order, for the first is the control.
    """
    return settings.model_dump(mode="json")


def settings_sha256(settings: Mapping[str, Any]) -> str:
    """The hash of canonical settings."""
    body = {**settings, "control": next(iter(settings["arms"]))}
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def parse_frozen(settings: Mapping[str, Any]) -> PilotFile:
    """The settings of a record; they were checked when they were frozen."""
    return PilotFile.model_validate(settings)


def changes_between(
    before: Mapping[str, Any], after: Mapping[str, Any], metrics: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> tuple[ChangeRecord, ...]:
    """Every field that differs, by its path in the file.

    Args:
        before: Canonical settings as frozen; read again by today's model, so that a new setting is no change.
        after: Canonical settings of the file.
        metrics: The metrics' definitions as frozen and as they are; a metric that only one of them reads is no
            change of its own, because the file's change tells it.
    """
    found = list(_differences(canonical(parse_frozen(before)), dict(after), ""))
    controls = next(iter(before["arms"])), next(iter(after["arms"]))
    if controls[0] != controls[1]:
        found.append(ChangeRecord(field="the first arm, which is the control", before=controls[0], after=controls[1]))
    for name in sorted(set(metrics[0]) & set(metrics[1])):
        found += _differences(metrics[0][name], metrics[1][name], f"metrics.yaml: {name}")
    return tuple(found)


def undoes_the_draw(change: ChangeRecord) -> bool:
    """Whether a change asks for another draw than the one that was made."""
    top, _, rest = change.field.partition(".")
    if top.startswith("the first arm") or top in DRAWN_BY:
        return True
    if top != "arms":
        return False
    arm_itself = "." not in rest
    return arm_itself or rest.endswith(".share")


def _differences(before: Any, after: Any, path: str) -> Iterator[ChangeRecord]:
    if isinstance(before, Mapping) and isinstance(after, Mapping) and not _is_period(before, after):
        for name in dict.fromkeys((*before, *after)):
            below = f"{path}.{name}" if path else name
            yield from _differences(before.get(name), after.get(name), below)
    elif before != after:
        yield ChangeRecord(field=path, before=_in_words(before), after=_in_words(after))


def _is_period(*values: Mapping[str, Any]) -> bool:
    return any(set(value) == {"count", "unit"} for value in values)


def _in_words(value: Any) -> Any:
    if isinstance(value, Mapping) and set(value) == {"count", "unit"}:
        return f"{value['count']} {value['unit']}{'' if value['count'] == 1 else 's'}"
    return [_in_words(each) for each in value] if isinstance(value, list) else value
