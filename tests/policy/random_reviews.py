"""Random reviews: random movement settings, partners, histories and controls, all from one seed."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from tierwise.config.calendar import shift_quarters
from tierwise.config.policy import Policy
from tierwise.config.workspace import Calendar
from tierwise.policy.past import past_of
from tierwise.policy.review import Controls, Review

TIERS = ("entry", "growth", "strategic", "flagship")
AS_OF = date(2026, 9, 30)
CALENDAR = Calendar()
PARTNERS = 60


@dataclass(frozen=True)
class RandomReview:
    """A review with the history it was made from."""

    review: Review
    history: pd.DataFrame


def random_review(seed: int) -> RandomReview:
    """Make a review of sixty partners by a random policy."""
    random = np.random.default_rng(seed)
    policy = random_policy(random)
    as_of = AS_OF if random.uniform() < 0.7 else date(2026, 8, 15)
    history = random_history(random, as_of)
    partners = pd.Series([f"P{number:03d}" for number in range(PARTNERS)], dtype="str")
    eligible = random.integers(-1, 4, PARTNERS)
    return RandomReview(
        Review(
            policy=policy,
            calendar=CALENDAR,
            as_of=as_of,
            eligible=eligible,
            gain=np.minimum(eligible, random.integers(-1, 5, PARTNERS)),
            keep=np.maximum(eligible, random.integers(-1, 4, PARTNERS)),
            past=past_of(partners, history, TIERS, as_of, policy.movement),
            controls=random_controls(random, policy),
        ),
        history,
    )


def random_policy(random: np.random.Generator) -> Policy:
    """A policy with random movement rules; its tiers are plain, because ranks are drawn directly."""
    return Policy.model_validate(
        {
            "policy": "random",
            "effective_from": "2026-04-01",
            "owner": "tests",
            "reason": "random movement",
            "tiers": [{"name": name, "when": "figure >= 1"} for name in TIERS],
            "movement": random_movement(random),
            "guardrails": {"max_promotions": int(random.integers(0, 12))} if random.uniform() < 0.3 else {},
            "approvals": {"promote": "ops", "demote": "director"},
        }
    )


def random_movement(random: np.random.Generator) -> dict:
    def chosen(*options: object) -> object:
        return options[random.integers(len(options))]

    movement: dict = {
        "promote": {
            "at": chosen("any_date", "any_date", "quarter_end", "never"),
            "steps": chosen("any", 1, 2),
            "confirm": chosen(1, 1, 2, {"at_least": 2, "of_last": 3}),
            "approval": chosen(None, None, "pending"),
        },
        "demote": {
            "at": chosen("any_date", "any_date", "quarter_end", "year_end"),
            "steps": chosen("any", 1, 2),
            "to": chosen("qualified", "qualified", "entry"),
            "confirm": chosen(1, 2, 2, {"at_least": 2, "of_last": 3}),
            "grace": chosen(None, None, "90 days", "2 quarters"),
            "approval": chosen(None, None, "pending"),
            "immediately_if": chosen(None, "figure < 0"),
        },
        "hold": {"min_reviews_in_tier": chosen(0, 1, 2, 3), "min_time_in_tier": chosen(None, None, "6 months")},
        "freeze": [{"where": "figure > 5", "from": date(2026, 7, 1), "until": date(2026, 12, 31), "reason": "shock"}],
    }
    if random.uniform() < 0.5:
        movement["sunset"] = chosen({"below_entry_for": "2 reviews"}, {"at_entry_for": "9 months"})
    if random.uniform() < 0.5:
        movement["newcomers"] = {"no_demotion_for": "9 months"}
    if random.uniform() < 0.5:
        movement["transition"] = {"no_demotion_for": "9 months"}
    return movement


def random_history(random: np.random.Generator, as_of: date) -> pd.DataFrame:
    """Up to five earlier quarters of most partners; some left the program, some have a notice of demotion."""
    rows = []
    for number in range(PARTNERS):
        tier = int(random.integers(-1, 4))
        for quarter in reversed(range(1, 1 + int(random.integers(0, 6)))):
            eligible, last = int(random.integers(-1, 4)), quarter == 1
            tier = int(random.integers(-1, 4)) if random.uniform() < 0.2 else tier
            in_grace = random.uniform() < 0.4
            rows.append(
                {
                    "partner_id": f"P{number:03d}",
                    "as_of": pd.Timestamp(shift_quarters(date(2026, 9, 30), -quarter)),
                    "tier": _name(tier) if not (last and random.uniform() < 0.05) else "exit",
                    "eligible_tier": _name(eligible),
                    "action": "hold",
                    "rule": "demotion_grace" if in_grace else "unchanged",
                    "gain_tier": _name(min(eligible, int(random.integers(-1, 4)))),
                    "keep_tier": _name(max(eligible, int(random.integers(-1, 4)))),
                }
            )
    columns = ["partner_id", "as_of", "tier", "eligible_tier", "action", "rule", "gain_tier", "keep_tier"]
    frame = pd.DataFrame(rows, columns=columns)
    texts = [name for name in columns if name != "as_of"]
    return frame.astype({"as_of": "datetime64[us]", **dict.fromkeys(texts, "str")})


def _name(place: int) -> str | None:
    return TIERS[place] if place >= 0 else None


def random_controls(random: np.random.Generator, policy: Policy) -> Controls:
    has_trigger = policy.movement.demote.immediately_if is not None
    return Controls(
        frozen=(random.uniform(size=PARTNERS) < 0.1,),
        evidence=random.uniform(size=PARTNERS) > 0.1,
        immediate_loss=(random.uniform(size=PARTNERS) < 0.1) & has_trigger,
        newcomer_since=None,
        rank_by=random.integers(0, 20, PARTNERS).astype(float),
        manager=None,
        growth=None,
    )
