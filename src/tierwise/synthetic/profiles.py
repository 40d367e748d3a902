"""The numbers behind the synthetic channel: its archetypes, regions, sizes and product lines.

They are chosen to look like the channels that vendors describe (a tenth of the partners brings about half of the
revenue; most partners have quarters without a won deal); no real company's figures are in them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PRODUCT_LINES = ("Cloud", "Security", "Data", "Devices", "Services", "Collaboration")
SIZES = ("micro", "small", "mid", "large")
SIZE_FACTORS = np.array([0.50, 0.95, 1.90, 4.20])
"""What the expected revenue of a partner is multiplied by for its size when it joined."""

PARTNER_TYPES = ("Reseller", "System integrator", "Managed service provider", "Consultant")
INDUSTRIES = (
    "Manufacturing", "Public sector", "Financial services", "Healthcare",
    "Retail", "Education", "Energy", "Cross-industry",
)  # fmt: skip
INDUSTRY_SHARES = np.array([0.16, 0.12, 0.12, 0.11, 0.12, 0.08, 0.06, 0.23])
SEASON_BY_QUARTER = np.array([0.90, 1.00, 0.92, 1.18])
"""What the chance to win is multiplied by, by calendar quarter of the decision."""


@dataclass(frozen=True)
class ArchetypeProfile:
    """How the partners of one latent archetype behave.

    Attributes:
        code: Its short name in the truth.
        title: What people would call it.
        share: Its share of partners.
        opportunities: Median opportunities per quarter of a small mature partner, before individual differences.
        deal_usd: Mean amount of a deal of a small partner.
        win_chance: Median chance that an opportunity is won.
        cycle_days: Scale of the days from creation to decision (Weibull, shape 1.6).
        ramp_quarters: Quarters that a newcomer takes to reach 63 % of its level.
        growth: Mean log growth a year.
        decline_hazard: Chance a quarter that a lasting decline sets in.
        cross_sell: Chance that a deal sells a further line to a known customer.
        joint: Chance that a deal is worked jointly with the vendor.
        registered: Chance that an opportunity is registered.
        breadth: Distinct customers per deal, between 0 (one customer) and 1 (always a new one).
        certifications: Certifications a quarter of a small partner.
        claims: MDF claims a quarter of a small partner.
        logins: Portal logins a month of a small partner.
        cases: Support cases a quarter of a small partner.
        satisfaction: Mean satisfaction, 1 to 5.
        size_shares: Shares of micro, small, mid and large partners.
        type_shares: Shares of the declared partner types.
        line_shares: Shares of the product lines.
    """

    code: str
    title: str
    share: float
    opportunities: float
    deal_usd: float
    win_chance: float
    cycle_days: float
    ramp_quarters: float
    growth: float
    decline_hazard: float
    cross_sell: float
    joint: float
    registered: float
    breadth: float
    certifications: float
    claims: float
    logins: float
    cases: float
    satisfaction: float
    size_shares: tuple[float, ...]
    type_shares: tuple[float, ...]
    line_shares: tuple[float, ...]


ARCHETYPES = (
    ArchetypeProfile(
        code="volume_reseller", title="Volume resellers", share=0.22,
        opportunities=8.0, deal_usd=12_000, win_chance=0.46, cycle_days=42, ramp_quarters=3.0, growth=-0.01,
        decline_hazard=0.018, cross_sell=0.06, joint=0.02, registered=0.20, breadth=0.80,
        certifications=0.18, claims=0.60, logins=26, cases=1.0, satisfaction=3.8,
        size_shares=(0.30, 0.38, 0.22, 0.10), type_shares=(0.86, 0.06, 0.04, 0.04),
        line_shares=(0.08, 0.10, 0.04, 0.58, 0.05, 0.15),
    ),
    ArchetypeProfile(
        code="solution_integrator", title="Solution integrators", share=0.18,
        opportunities=1.9, deal_usd=95_000, win_chance=0.40, cycle_days=190, ramp_quarters=5.0, growth=0.04,
        decline_hazard=0.012, cross_sell=0.55, joint=0.42, registered=0.90, breadth=0.45,
        certifications=1.50, claims=0.22, logins=20, cases=0.8, satisfaction=4.3,
        size_shares=(0.20, 0.40, 0.30, 0.10), type_shares=(0.06, 0.82, 0.05, 0.07),
        line_shares=(0.18, 0.22, 0.26, 0.04, 0.26, 0.04),
    ),
    ArchetypeProfile(
        code="cloud_native", title="Cloud-native service providers", share=0.20,
        opportunities=4.0, deal_usd=21_000, win_chance=0.47, cycle_days=70, ramp_quarters=2.5, growth=0.12,
        decline_hazard=0.010, cross_sell=0.42, joint=0.12, registered=0.62, breadth=0.35,
        certifications=0.90, claims=0.08, logins=85, cases=4.2, satisfaction=4.1,
        size_shares=(0.40, 0.38, 0.17, 0.05), type_shares=(0.05, 0.06, 0.84, 0.05),
        line_shares=(0.58, 0.18, 0.10, 0.01, 0.08, 0.05),
    ),
    ArchetypeProfile(
        code="referral_advisor", title="Referral and advisory partners", share=0.18,
        opportunities=1.1, deal_usd=38_000, win_chance=0.52, cycle_days=120, ramp_quarters=3.5, growth=0.01,
        decline_hazard=0.015, cross_sell=0.08, joint=0.82, registered=0.95, breadth=0.90,
        certifications=0.22, claims=0.01, logins=3.5, cases=0.05, satisfaction=4.2,
        size_shares=(0.58, 0.28, 0.10, 0.04), type_shares=(0.03, 0.07, 0.05, 0.85),
        line_shares=(0.22, 0.12, 0.22, 0.04, 0.32, 0.08),
    ),
    ArchetypeProfile(
        code="regional_specialist", title="Emerging regional specialists", share=0.22,
        opportunities=2.2, deal_usd=9_000, win_chance=0.38, cycle_days=100, ramp_quarters=6.0, growth=0.16,
        decline_hazard=0.020, cross_sell=0.20, joint=0.08, registered=0.42, breadth=0.65,
        certifications=0.45, claims=0.14, logins=12, cases=0.5, satisfaction=4.0,
        size_shares=(0.58, 0.32, 0.08, 0.02), type_shares=(0.60, 0.14, 0.14, 0.12),
        line_shares=(0.14, 0.44, 0.08, 0.12, 0.06, 0.16),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Region:
    """One sales region: its share of partners, the level of its deals, and its countries with their currencies."""

    name: str
    share: float
    revenue_factor: float
    countries: tuple[tuple[str, str, float], ...]


REGIONS = (
    Region("EMEA", 0.40, 1.00, (
        ("Germany", "EUR", 0.22), ("United Kingdom", "GBP", 0.24), ("France", "EUR", 0.18),
        ("Netherlands", "EUR", 0.12),
        ("Spain", "EUR", 0.10), ("Poland", "EUR", 0.08), ("United Arab Emirates", "USD", 0.06),
    )),
    Region("AMER", 0.35, 1.15, (("United States", "USD", 0.84), ("Canada", "CAD", 0.16))),
    Region("APAC", 0.18, 0.85, (
        ("Japan", "JPY", 0.28), ("Australia", "AUD", 0.26), ("India", "INR", 0.30), ("Singapore", "SGD", 0.16),
    )),
    Region("LATAM", 0.07, 0.60, (("Brazil", "BRL", 0.52), ("Mexico", "MXN", 0.34), ("Chile", "USD", 0.14))),
)  # fmt: skip

USD_RATES = {
    "USD": 1.0, "EUR": 1.10, "GBP": 1.27, "CAD": 0.74, "JPY": 0.0068, "AUD": 0.66,
    "INR": 0.012, "SGD": 0.75, "BRL": 0.20, "MXN": 0.055,
}  # fmt: skip
"""Program rates: US dollars per unit; the demo workspace's `currency.rates` are the same."""

COUNTRIES = tuple((country, region) for region in REGIONS for country, _, _ in region.countries)
COUNTRY_NAMES = tuple(country for country, _ in COUNTRIES)
COUNTRY_CURRENCIES = tuple(currency for region in REGIONS for _, currency, _ in region.countries)
CURRENCIES = tuple(USD_RATES)
REGION_NAMES = tuple(region.name for region in REGIONS)
ARCHETYPE_CODES = tuple(profile.code for profile in ARCHETYPES)


def by_archetype(name: str) -> npt.NDArray[np.float64]:
    """One number or row of shares per archetype, in the order of `ARCHETYPES`: shape (5,) or (5, choices)."""
    return np.array([getattr(profile, name) for profile in ARCHETYPES], dtype=np.float64)
