"""Dated flags (invitations, fees, agreements, opt-ins) turned into one true-or-false column each."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import pandas as pd

from tierwise.config.policy import Policy
from tierwise.errors import Fault, InvalidInput
from tierwise.policy.texts import flags_of

FLAG_COLUMNS = ("partner_id", "flag", "from", "until", "author")


def flag_columns(
    policy: Policy, flags: pd.DataFrame | None, as_of: date | None, columns: Collection[str]
) -> pd.DataFrame | None:
    """The flags in force on a day: `partner_id` and one boolean column per flag that the policy asks for.

    A flag counts from its `from` day to its `until` day, both included; without `until` it stays in force.

    Raises:
        InvalidInput: If the flags table lacks a column, a flag has no author, or no as-of date is given.
    """
    if flags is None:
        return None
    if as_of is None:
        raise InvalidInput(Fault("dated flags need an as-of date", "flags"))
    in_force = _in_force(flags, as_of)
    table = pd.DataFrame({"partner_id": pd.Series(sorted(in_force["partner_id"].unique()), dtype="str")})
    return _with_columns(table, in_force, sorted(flags_of(policy) - set(columns)))


def with_flags(inputs: pd.DataFrame, flags: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Add to policy inputs one boolean column for every flag that was ever recorded, as of a day.

    Args:
        inputs: One row per partner (and unit).
        flags: `partner_id`, `flag`, `from`, `until`, `author`.
        as_of: The day on which a flag must be in force.

    Raises:
        InvalidInput: If the flags table lacks a column, a flag has no author, or a flag has a column's name.
    """
    in_force = _in_force(flags, as_of)
    names = sorted(flags["flag"].unique())
    taken = [name for name in names if name in inputs.columns]
    if taken:
        raise InvalidInput(Fault("a flag has the name of a metric or attribute", "flags", tuple(taken)))
    return _with_columns(inputs, in_force, names)


def _with_columns(table: pd.DataFrame, in_force: pd.DataFrame, names: Collection[str]) -> pd.DataFrame:
    holders = {name: in_force.loc[in_force["flag"] == name, "partner_id"] for name in names}
    return table.assign(**{name: table["partner_id"].isin(partners) for name, partners in holders.items()})


def _in_force(flags: pd.DataFrame, as_of: date) -> pd.DataFrame:
    _check(flags)
    day, starts, ends = pd.Timestamp(as_of), pd.to_datetime(flags["from"]), pd.to_datetime(flags["until"])
    return flags[(starts <= day) & (ends.isna() | (ends >= day))]


def _check(flags: pd.DataFrame) -> None:
    missing = [column for column in FLAG_COLUMNS if column not in flags.columns]
    if missing:
        raise InvalidInput(Fault(f"the flags table lacks {', '.join(missing)}", "flags"))
    unsigned = flags[flags["author"].isna() | (flags["author"].astype("str").str.strip() == "")]
    if len(unsigned):
        examples = tuple(f"{row.partner_id}: {row.flag}" for row in unsigned.head(3).itertuples())
        raise InvalidInput(Fault("a flag has no author", "flags", examples, "say who recorded it"))
