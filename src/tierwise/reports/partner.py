"""One partner in one review: the single value that terminal, JSON, one-pager and letter are rendered from.

Every figure here was stored when the review was made; texts are those figures written with their units.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from tierwise.reports.ladders import Ladders

ACTIONS = ("place", "promote", "demote", "hold", "watch", "insufficient_evidence")


@dataclass(frozen=True)
class Reason:
    """One stored reason.

    Attributes:
        rank: 1 is the deciding one.
        code: Its code.
        sentence: For the partner manager.
        partner_safe: For the partner.
    """

    rank: int
    code: str
    sentence: str
    partner_safe: str


@dataclass(frozen=True)
class Criterion:
    """One comparison of a tier's rule, as stored, and as people read it.

    Attributes:
        tier: The tier that asks.
        name: The criterion's name within the tier.
        title: What people read for the figure, or for the condition.
        metric: The figure on the partner's side; empty for a condition without one.
        operator: How it is compared; `is` for a condition.
        value: What the partner has; None where unknown.
        threshold: What is asked.
        margin: What is over the threshold, negative what is missing; None for a condition or where unknown.
        met: `true`, `false` or `unknown`.
        is_alternative: Whether another route can take its place.
        shown_value: The value with its unit.
        shown_threshold: The threshold with its unit and its comparison.
        shown_margin: The margin with its sign and unit.
        shown_keep: From where the tier is kept, with its unit; empty where that is the threshold itself.
        shown_gain: From where the tier is gained, likewise.
        written: How the policy writes a condition or a formula that is shown in words; empty for a single figure.
        is_named: Whether the title is the policy's own for this condition.
    """

    tier: str
    name: str
    title: str
    metric: str
    operator: str
    value: float | None
    threshold: float | None
    margin: float | None
    met: str
    is_alternative: bool
    shown_value: str
    shown_threshold: str
    shown_margin: str
    shown_keep: str = ""
    shown_gain: str = ""
    written: str = ""
    is_named: bool = False


@dataclass(frozen=True)
class ScorePart:
    """One component of a score: its title, dimension, points and the most that can be scored."""

    title: str
    dimension: str
    points: float | None
    most: float | None


@dataclass(frozen=True)
class Score:
    """A score of the policy; the points of its parts add up to the total."""

    name: str
    title: str
    total: float
    parts: tuple[ScorePart, ...]


@dataclass(frozen=True)
class Family:
    """A family of figures with its effect on the natural logarithm of the potential, and as a factor."""

    name: str
    effect: float
    factor: float
    shown_factor: str


@dataclass(frozen=True)
class Comparison:
    """The potential against a baseline, family by family, the strongest first; the effects add up to `total`."""

    baseline: str
    title: str
    families: tuple[Family, ...]
    total: float


@dataclass(frozen=True)
class Potential:
    """The expected value over the horizon with its interval, and what the partner brings now.

    Attributes:
        value: The expected value; None where unknown.
        low: The low end of the interval.
        high: The high end.
        now: The same figure over the last period; None where the review does not store it.
        line: All of it in one sentence.
        shown: The expected value with its unit.
        shown_interval: The interval in words.
        shown_now: The figure of the last period with its unit.
        now_title: What the figure of the last period is called.
        shown_headroom: The headroom with its unit.
        source: Where the potential comes from, in words.
    """

    value: float | None
    low: float | None
    high: float | None
    now: float | None
    line: str
    shown: str
    shown_interval: str
    shown_now: str
    now_title: str
    shown_headroom: str
    source: str


@dataclass(frozen=True)
class Change:
    """How one figure changed since the review before, split into data, model and policy; all with their units."""

    title: str
    before: str
    now: str
    from_data: str
    from_model: str
    from_policy: str
    is_split: bool


@dataclass(frozen=True)
class Move:
    """A figure that moved: its title, before and now, and whether it rose."""

    title: str
    before: str
    now: str
    rose: bool | None


@dataclass(frozen=True)
class Step:
    """One step of a plan."""

    metric: str
    title: str
    start: str
    goal: str
    by_when: str


@dataclass(frozen=True)
class Plan:
    """A way to the next tier: its steps, when it could be done, how sure, and what the tier would mean."""

    number: int
    reaches: str
    sentence: str
    partner_safe: str
    steps: tuple[Step, ...]
    by_when: str
    robustness: float | None
    gains: str
    costs: str


@dataclass(frozen=True)
class Peer:
    """A partner one tier up that was like this one, and what it raised since. Managers only."""

    shown: str
    tier: str
    alike_as_of: str
    matched_on: str
    moves: tuple[Move, ...]


@dataclass(frozen=True)
class PartnerPage:
    """The stored rows about one partner in one review; nothing here is computed again.

    Attributes:
        as_of: The as-of date of the review.
        workspace: The workspace's name.
        recommendation: The partner's row of `recommendations`, without empty values; dates as text.
        tiers: The tiers of the policy from the lowest to the highest.
        name: The partner's name; its id where it has none.
        profile: Attributes that place the partner: region, archetype, manager.
        headline: The placement in one sentence.
        next_step: What the manager does next, in one sentence.
        reasons: At most four.
        criteria: Those of the recommended tier and of the next one.
        scores: The scores, with every point.
        potential: The potential.
        ladders: Its tracks and units, where the policy has any.
        comparisons: The potential by families against the whole channel and against the next tier's peers.
        previous_as_of: The review that changes are told against; empty where there is none.
        changes: What changed since then.
        moved: The figures that moved most.
        plans: Up to three ways up.
        no_plan: Why there is none; empty where there is one.
        peers: Similar partners one tier up; never in a letter.
        notes: What to know about the data behind the page.
        versions: What the review was made from.
    """

    as_of: date
    workspace: str
    recommendation: dict[str, Any]
    tiers: tuple[str, ...]
    name: str
    profile: tuple[tuple[str, str], ...]
    headline: str
    next_step: str
    reasons: tuple[Reason, ...]
    criteria: tuple[Criterion, ...]
    scores: tuple[Score, ...]
    potential: Potential
    ladders: Ladders = field(default_factory=Ladders)
    comparisons: tuple[Comparison, ...] = ()
    previous_as_of: str = ""
    changes: tuple[Change, ...] = ()
    moved: tuple[Move, ...] = ()
    plans: tuple[Plan, ...] = ()
    no_plan: str = ""
    peers: tuple[Peer, ...] = ()
    notes: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()

    @property
    def partner_id(self) -> str:
        """The partner's id."""
        return str(self.recommendation["partner_id"])

    @property
    def action(self) -> str:
        """The recommended action."""
        return str(self.recommendation["action"])

    @property
    def why(self) -> str:
        """The deciding reason in one sentence."""
        return self.reasons[0].sentence if self.reasons else "The review stores no reason."

    def tier(self, which: str) -> str:
        """One of the row's tiers (`current_tier`, `recommended_tier`, `next_tier`, `pending_tier`); empty if none."""
        return str(self.recommendation.get(which, ""))


def as_payload(page: PartnerPage) -> dict[str, Any]:
    """Give the page as plain values, for JSON."""
    return {**asdict(page), "as_of": page.as_of.isoformat()}
