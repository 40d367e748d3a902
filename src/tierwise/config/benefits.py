"""What each tier buys (`benefits.yaml`, DESIGN section 4): supports, incentives, SLA, cost and capacity need."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from tierwise.config.base import Settings
from tierwise.config.catalog import Name
from tierwise.config.policy_rules import TierName

Amount = Annotated[Decimal, Field(ge=0)]
Hours = Annotated[float, Field(gt=0)]


def _incentive_from_text(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class IncentiveSettings(Settings):
    """Money that a tier pays to a partner.

    Attributes:
        name: What people call it, such as `rebate` or `MDF`.
        rate: The share of the metric `on` that is paid: 0.05 is 5 %.
        on: The metric that the rate is paid on.
        amount: A fixed amount per partner and year, in the program currency.
        cap: The most that is paid per partner and year, in the program currency.
    """

    name: Annotated[str, Field(min_length=1)]
    rate: Annotated[Decimal, Field(ge=0, le=1)] | None = None
    on: Name | None = None
    amount: Amount | None = None
    cap: Amount | None = None


Incentive = Annotated[
    IncentiveSettings, BeforeValidator(_incentive_from_text, json_schema_input_type=str | IncentiveSettings)
]


class ServiceLevel(Settings):
    """How fast a tier is served.

    Attributes:
        first_response_hours: Working hours until a person answers.
        resolution_hours: Working hours until the case is solved.
    """

    first_response_hours: Hours | None = None
    resolution_hours: Hours | None = None


class TierBenefits(Settings):
    """What one tier buys.

    Attributes:
        supports: The kinds of support, in words.
        incentives: What is paid; a plain text is an incentive without figures.
        sla: The service level.
        unit_cost: What one partner in the tier costs per year, in the program currency, without incentives.
        capacity: What one partner in the tier needs of each scarce resource, such as `manager_hours_per_quarter`.
    """

    supports: tuple[str, ...] = ()
    incentives: tuple[Incentive, ...] = ()
    sla: ServiceLevel = ServiceLevel()
    unit_cost: Amount = Decimal(0)
    capacity: dict[Name, Amount] = Field(default_factory=dict)


class Benefits(Settings):
    """The whole of `benefits.yaml`.

    Attributes:
        tiers: What each tier buys, by the tier's name in the policies.
    """

    tiers: dict[TierName, TierBenefits]
