"""Whom an arm with other thresholds could touch at all: the partners that its policy would place in another tier."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd

from tierwise.config.pilot_checks import policy_of
from tierwise.config.pilot_file import ArmSettings, PolicyChange
from tierwise.config.policy import ParameterTable, Policy
from tierwise.errors import Refused
from tierwise.jobs.pilot_files import OpenPilot
from tierwise.jobs.pilot_metrics import KEY
from tierwise.jobs.pilot_snapshot import Channel
from tierwise.jobs.policy_inputs import asks_for_models, inputs_for, policy_inputs
from tierwise.policy import place


def mover_notes(channel: Channel, pilot: OpenPilot, partners: pd.DataFrame, day: date) -> Iterator[str]:
    """Say of every arm with other thresholds how many partners they would move; only those can differ.

    Args:
        channel: The accepted tables and the workspace.
        pilot: The pilot.
        partners: Who takes part: `partner_id`, and `arm` once arms are drawn.
        day: The day on which tiers are compared.
    """
    for name, arm in pilot.settings.arms.items():
        policy = policy_of(pilot.settings, arm, channel.workspace.policies)
        if arm.policy_change is None or policy is None:
            continue
        try:
            steps = tier_steps(channel, policy, changed_policy(policy, arm.policy_change), day)
        except Refused as refused:
            yield f"{_title(name, arm)}: whom its thresholds would move is not counted: {refused.faults[0].what}."
            continue
        drawn = partners["arm"] == name if "arm" in partners else pd.Series(True, index=partners.index)
        who = f"the {int(drawn.sum())} partners drawn into it" if "arm" in partners else f"{len(partners)} partners"
        yield _sentence(_title(name, arm), who, steps.reindex(partners.loc[drawn, KEY]).fillna(0).to_numpy())


def changed_policy(policy: Policy, change: PolicyChange) -> Policy:
    """A policy with the parameters of an arm; values of a table that the arm leaves out stay as they were."""
    tables = dict(policy.parameters)
    for name, given in change.parameters.items():
        if isinstance(given, dict):
            exact = {key: Decimal(str(value)) for key, value in given.items()}
            default = exact.pop("default", tables[name].default)
            values = {**tables[name].values, **exact}
            tables[name] = tables[name].model_copy(update={"values": values, "default": default})
        else:
            tables[name] = ParameterTable(default=Decimal(str(given)))
    return policy.model_copy(update={"parameters": tables})


def tier_steps(channel: Channel, policy: Policy, other: Policy, day: date) -> pd.Series:
    """How many tiers higher the other policy places each partner on a day, by `partner_id`.

    Movement rules are left out: it is the tier that a partner would be eligible for.

    Raises:
        Refused: If the policy needs a model and none is in force.
    """
    engine, workspace = channel.engine, channel.workspace
    panel = policy_inputs(engine, workspace, [day], asks_for_models([policy, other]))
    if day not in panel:
        return pd.Series(dtype="int64")
    inputs = inputs_for(engine, workspace, policy, panel)[day]
    before, after = (_places(channel, each, inputs) for each in (policy, other))
    return after - before


def _places(channel: Channel, policy: Policy, inputs: pd.DataFrame) -> pd.Series:
    placement = place(channel.engine, policy, inputs)
    return pd.Series(placement.ranks()["eligible"].astype(np.int64), index=placement.tiers[KEY].to_numpy())


def _title(name: str, arm: ArmSettings) -> str:
    return arm.title or name


def _sentence(title: str, who: str, steps: np.ndarray) -> str:
    up, down = int((steps > 0).sum()), int((steps < 0).sum())
    if not up + down:
        return f"{title}: its thresholds would move none of {who}, so that no effect on them can be expected."
    share = (up + down) / len(steps)
    return (
        f"{title}: of {who}, its thresholds would place {up} higher and {down} lower. Only these {up + down} "
        f"({share:.0%}) can differ by their tier; the effect on all that were drawn is theirs, thinned to that share."
    )
