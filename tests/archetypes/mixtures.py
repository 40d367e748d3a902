"""Partner mixtures with known archetypes, and single blobs without any."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierwise.config.model_spec import ArchetypeSpec, Feature, FeatureSet

QUICK = ArchetypeSpec(k_max=6, starts=6, bootstraps=8, null_draws=19)
BEHAVIOURS = {
    # Log levels of deals, deal size, certificates, logins and claims; chance of any claim; share of joint deals.
    "volume": (3.0, 8.5, 0.3, 3.0, 7.5, 0.9, 0.05),
    "integrator": (0.8, 11.5, 1.8, 2.6, 6.5, 0.3, 0.6),
    "cloud": (2.0, 9.8, 1.2, 5.0, 6.0, 0.2, 0.15),
    "referral": (0.2, 10.4, 0.2, 1.0, 5.5, 0.05, 0.9),
}
FEATURES = FeatureSet(
    metrics=(
        Feature("deals_4q", "Deals won, last 4 quarters", "deals", "sales", "up"),
        Feature("average_deal", "Average won deal, last 8 quarters", "USD", "sales", "up"),
        Feature("certificates", "Valid certificates", "certificates", "skills", "up"),
        Feature("logins_1q", "Portal logins, last quarter", "logins", "engagement", "up"),
        Feature("claims", "MDF approved, last 4 quarters", "USD", "engagement", "up"),
        Feature("joint_share", "Share of joint deals", "ratio", "alignment", "none"),
        Feature("growth", "Growth, last 4 quarters", "ratio", "growth", "none"),
    ),
    target="revenue_4q",
    target_unit="USD",
    attributes=("region",),
)


def mixture(partners: int = 240, seed: int = 1, kinds: tuple[str, ...] = tuple(BEHAVIOURS)) -> pd.DataFrame:
    """Metric rows with the hidden archetype in the column `truth`."""
    rng = np.random.default_rng(seed)
    truth = np.array(kinds)[rng.integers(0, len(kinds), partners)]
    level = np.array([BEHAVIOURS[name] for name in truth])
    size = rng.normal(0, 0.4, partners)

    def amount(place: int, spread: float) -> np.ndarray:
        return np.exp(level[:, place] + rng.normal(0, spread, partners))

    deals, deal = np.floor(amount(0, 0.35) * np.exp(size)), amount(1, 0.35)
    rows = pd.DataFrame(
        {
            "partner_id": [f"P{number:04d}" for number in range(partners)],
            "region": rng.choice(["AMER", "APAC", "EMEA"], partners),
            "deals_4q": deals,
            "average_deal": np.where(deals > 0, deal, np.nan),
            "certificates": np.floor(amount(2, 0.4)),
            "logins_1q": np.floor(amount(3, 0.4)),
            "claims": amount(4, 0.5) * (rng.random(partners) < level[:, 5]),
            "joint_share": np.clip(level[:, 6] + rng.normal(0, 0.1, partners), 0, 1),
            "growth": rng.normal(0, 0.3, partners),
            "revenue_4q": deals * deal,
            "truth": truth,
        }
    )
    return rows.astype({"partner_id": "str", "region": "str"})


def blob(partners: int = 300, seed: int = 1, long: bool = False, amounts: bool = True) -> pd.DataFrame:
    """One Gaussian (of logarithms, if `amounts`); a long one has strongly correlated metrics."""
    rng = np.random.default_rng(seed)
    names = FEATURES.names
    turn = rng.standard_normal((len(names), len(names))) if long else np.eye(len(names))
    values = rng.standard_normal((partners, len(names))) @ turn
    rows = pd.DataFrame(np.exp(values) if amounts else values, columns=list(names))
    rows["partner_id"] = [f"P{number:04d}" for number in range(partners)]
    return rows.assign(region="EMEA", revenue_4q=1.0).astype({"partner_id": "str", "region": "str"})
