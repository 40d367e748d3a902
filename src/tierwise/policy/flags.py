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
    _check(flags, as_of)
    wanted = sorted(flags_of(policy) - set(columns))
    day = pd.Timestamp(as_of or date.max)
    starts, ends = pd.to_datetime(flags["from"]), pd.to_datetime(flags["until"])
    in_force = flags[(starts <= day) & (ends.isna() | (ends >= day)) & flags["flag"].isin(wanted)]
    partners = pd.Series(sorted(in_force["partner_id"].unique()), name="partner_id", dtype="str")
    table = partners.to_frame()
    for flag in wanted:
        table[flag] = partners.isin(in_force.loc[in_force["flag"] == flag, "partner_id"])
    return table


def _check(flags: pd.DataFrame, as_of: date | None) -> None:
    missing = [column for column in FLAG_COLUMNS if column not in flags.columns]
    if missing:
        raise InvalidInput(Fault(f"the flags table lacks {', '.join(missing)}", "flags"))
    if as_of is None:
        raise InvalidInput(Fault("dated flags need an as-of date", "flags"))
    unsigned = flags[flags["author"].isna() | (flags["author"].astype("str").str.strip() == "")]
    if len(unsigned):
        examples = tuple(f"{row.partner_id}: {row.flag}" for row in unsigned.head(3).itertuples())
        raise InvalidInput(Fault("a flag has no author", "flags", examples, "say who recorded it"))
