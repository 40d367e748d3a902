"""A written review of made-up partners, hostile names among them, from which pages are made."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd

from tests.jobs.tiny_workspace import AS_OF, METRICS, POLICY, write_workspace
from tierwise.config.load import Workspace
from tierwise.store import Review, lock_output, write_review
from tierwise.tables.output_schemas import output_table, sort_rows

VERSIONS = {"model": "3", "policy": "standard@2020-01-01", "data_fingerprint": "f00d", "tierwise": "0"}
HOSTILE = (
    "<script>document.title='stolen'</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title></script><h1>Owned</h1>",
    '=HYPERLINK("http://evil.example","click")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "{{ 7 * 7 }}{% raw %}",
    "شركة الشركاء الموثوقين",
    "\u202eevil\u202c gnp.exe",
    "🦊🚀 Fox & Söhne ‮",
    "N" * 300,
    "Ink " * 80,
    "a\nb\tc | d [x](javascript:alert(1)) `e`",
)
EARLIER, LATER = pd.Timestamp(2026, 6, 30), pd.Timestamp(2026, 12, 31)
GAINS = "Named partner manager; joint business plan; technical account management; lead sharing; rebate 5 %; " * 2
PLAN = {
    "code": "plan", "reaches_tier": "strategic", "steps": 3, "effort": 1.5, "quarters": 2, "by_when": LATER,
    "closes": "certified", "valid": True, "robustness": 0.875, "expires_on": LATER, "sentence": "Three steps.",
    "partner_safe_sentence": "Three steps.", "gains": GAINS, "costs": "USD 24 k a year",
}  # fmt: skip
STEP = {
    "effort": 1.0, "quarters": 1, "most_per_quarter": 2.0, "by_when": LATER, "reaches_tier": "strategic",
    "valid": True, "robustness": 0.875, "expires_on": LATER,
}  # fmt: skip
STEPS = [
    {"step": 1, "metric": "certified", "from": 3.0, "to": 9.0},
    {"step": 2, "metric": "deals_4q", "from": 3.0, "to": 12.0},
    {"step": 3, "metric": "revenue_4q", "from": 58_900.0, "to": 63_000.0},
]
CHANGE = {
    "previous_as_of": EARLIER, "code": "split", "unit": "USD", "value_before": 400_000.0, "value_now": 412_345.0,
    "from_data": 30_000.0, "from_model": -17_655.0, "from_policy": 0.0,
}  # fmt: skip
MOVED = [
    {"rank": rank, "metric": metric, "value_before": 3.0, "value_now": 5.0, "effect": 0.1, "size": 1.0}
    for rank, metric in enumerate(METRICS, start=1)
]
SIMILAR = {
    "move": 1, "code": "similar", "peer_tier": "strategic", "alike_as_of": EARLIER, "matched_on": "archetype",
    "distance": 0.4, "metric": "certified", "from": 2.0, "to": 6.0,
}  # fmt: skip
ACTIONS = ("hold", "promote", "demote", "watch", "insufficient_evidence", "place")
REASON_OF = {
    "hold": "inside_promotion_band", "promote": "qualified", "demote": "below_threshold", "watch": "in_grace",
    "insufficient_evidence": "too_little_evidence", "place": "no_tier_history",
}  # fmt: skip
RULE_OF = {"insufficient_evidence": "evidence_floor", "promote": "promotion", "demote": "demotion"}


def pages_workspace(folder: Path) -> Workspace:
    """A workspace with regions, a score in the policy, and long titles."""
    policy = deepcopy(POLICY)
    policy["scores"] = {
        "value": {"title": "Partner value", "max": 100, "components": [
            {"name": "deals", "dimension": "market_reach", "of": "deals_4q", "full_at": 40, "max": 40},
            {"name": "skills", "dimension": "strategic_alignment", "of": "certified", "full_at": 8, "max": 60},
        ]}
    }  # fmt: skip
    return write_workspace(folder, {}, metrics=deepcopy(METRICS), policy=policy, segments={"region": "region"})


def write_pages_review(workspace: Workspace, partners: int = 40, seed: int = 1) -> list[str]:
    """Write a review with every table filled; returns the partners' ids."""
    tables = review_tables(partners, seed)
    review = Review(AS_OF, f"run-{partners}-{seed}", tables, VERSIONS, score_columns=("value",))
    with lock_output(workspace.output_folder, review.run_id) as lock:
        write_review(lock, review)
    return tables["recommendations"]["partner_id"].tolist()


def review_tables(partners: int, seed: int = 1) -> dict[str, pd.DataFrame]:
    """Every table of a review; figures are drawn, not computed."""
    draw = np.random.default_rng(seed)
    ids = [f"P{number:06d}" for number in range(partners)]
    actions = [ACTIONS[number % len(ACTIONS)] for number in range(partners)]
    revenue, certified = draw.gamma(2, 30_000, partners).round(2), draw.integers(0, 9, partners).astype(float)
    frame = _recommendations(ids, actions, draw)
    tables = {
        "recommendations": frame,
        "reasons": _reasons(frame),
        "criteria": _criteria(ids, certified),
        "components": _components(ids, draw),
        "contributions": _contributions(ids, draw),
        "metrics": pd.DataFrame(
            {
                "partner_id": ids,
                "revenue_4q": revenue,
                "certified": certified,
                "region": ["EMEA", "APAC"] * (partners // 2) + ["LATAM"] * (partners % 2),
            }
        ),
        **_explaining(ids, certified),
    }
    return {name: sort_rows(name, complete(name, table)) for name, table in tables.items()}


def complete(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of an output table that a test does not care about, without values."""
    return table.assign(**dict.fromkeys(c for c in output_table(name).columns if c not in {*table, "run_id", "as_of"}))


def _recommendations(ids: list[str], actions: list[str], draw: np.random.Generator) -> pd.DataFrame:
    names = [
        HOSTILE[number % len(HOSTILE)] if number < 3 * len(HOSTILE) else f"Partner {number:,}"
        for number in range(len(ids))
    ]
    before = {"promote": "entry", "demote": "strategic", "place": None}
    after = {"promote": "growth", "demote": "growth", "place": "entry"}
    falling = {"demote": "entry", "watch": "entry", "promote": "growth"}
    potential = draw.gamma(2, 40_000, len(ids)).round(2)
    waits = pd.Series(actions).isin(["promote", "demote"]).to_numpy()
    return pd.DataFrame(
        {
            "partner_id": ids,
            "partner_name": names,
            "current_tier": [before.get(action, "growth") for action in actions],
            "eligible_tier": [falling.get(action, "growth") for action in actions],
            "recommended_tier": [after.get(action, "growth") for action in actions],
            "action": actions,
            "rule": [RULE_OF.get(action, "unchanged") for action in actions],
            "reason_code": [REASON_OF[action] for action in actions],
            "archetype_id": "a1",
            "archetype": [("Steady sellers", "Fast growers")[number % 2] for number in range(len(ids))],
            "archetype_strength": 0.5,
            "archetype_status": "named",
            "archetype_reason": "orders 12 (typical here 11, in the nearest other 3)",
            "nearest_other": "a2",
            "potential": potential,
            "potential_low": potential * 0.6,
            "potential_high": potential * 1.7,
            "potential_source": "model",
            "headroom": 12_345.67,
            "value": 61.37,
            "next_tier": "strategic",
            "approval_role": np.where(waits, "channel-director", None),
            "pending_tier": [("entry" if action == "watch" else None) for action in actions],
            "effective_on": pd.Timestamp(2026, 10, 1),
            "notice_on": pd.Series(
                [(AS_OF if action == "watch" else None) for action in actions], dtype="datetime64[us]"
            ),
            "grace_until": pd.Series(
                [("2026-12-29" if action == "watch" else None) for action in actions], dtype="datetime64[us]"
            ),
            "gain_tier": "growth",
            "keep_tier": "growth",
            "model_version": "3",
            "policy_version": VERSIONS["policy"],
            "data_fingerprint": "f00d" * 8,
        }
    )


def _reasons(frame: pd.DataFrame) -> pd.DataFrame:
    long = "Won revenue over the last four quarters is associated with this, by the figures held on the day; " * 2
    parts = []
    for rank, code in enumerate(("", "missing_for_next_tier", "score_parts", "potential_families"), start=1):
        parts.append(
            frame[["partner_id"]].assign(
                rank=rank,
                code=frame["reason_code"] if rank == 1 else code,
                sentence=f"Reason {rank} for the manager: {long}",
                partner_safe_sentence=f"Reason {rank} for you.",
            )
        )
    return pd.concat(parts, ignore_index=True)


def _criteria(ids: list[str], certified: np.ndarray) -> pd.DataFrame:
    asked = [
        ("growth", "certified", "certified >= 2", "certified", ">=", 2.0),
        ("growth", "value", "value >= 40", "value", ">=", 40.0),
        ("growth", "member", "region <> 'none'", "region", "is", 1.0),
        ("strategic", "certified", "certified >= 6", "certified", ">=", 6.0),
        ("strategic", "revenue", "revenue_4q >= 60000", "revenue_4q", ">=", 60_000.0),
        ("strategic", "outlook", "potential_low >= 50000", "potential_low", ">=", 50_000.0),
        ("strategic", "value", "value >= 70", "value", ">=", 70.0),
    ]
    rows = []
    for partner, own in zip(ids, certified, strict=True):
        values = {"certified": own, "value": 61.37, "region": 1.0, "revenue_4q": 58_900.0, "potential_low": 23_456.0}
        for tier, name, expression, metric, operator, threshold in asked:
            met = operator == "is" or values[metric] >= threshold
            gap = 0.0 if met else threshold - values[metric]
            rows.append(
                (partner, tier, name, expression, metric, operator, threshold, values[metric], str(met).lower(), gap)
            )
    columns = [
        "partner_id",
        "tier",
        "criterion",
        "expression",
        "metric",
        "operator",
        "threshold",
        "value",
        "met",
        "gap",
    ]
    return pd.DataFrame(rows, columns=columns).assign(route=None, cheapest=False)


def _components(ids: list[str], draw: np.random.Generator) -> pd.DataFrame:
    parts = [("deals", "market_reach", 21.37, 40.0), ("skills", "strategic_alignment", 40.0, 60.0)]
    rows = [(partner, "value", *part) for partner in ids for part in parts]
    columns = ["partner_id", "score", "component", "dimension", "points", "max_points"]
    return pd.DataFrame(rows, columns=columns).assign(scorecard="all")


def _contributions(ids: list[str], draw: np.random.Generator) -> pd.DataFrame:
    families = ("sales", "skills", "pipeline", "engagement", "profile", "tenure", "service")
    rows = [
        (partner, "potential", baseline, f"{family}_1", family, float(effect))
        for partner in ids
        for baseline in ("channel", "peers")
        for family, effect in zip(families, draw.normal(0, 0.4, len(families)), strict=True)
    ]
    columns = ["partner_id", "target", "baseline", "feature", "family", "contribution"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(value=np.nan, factor=np.exp(frame["contribution"]))


def _explaining(ids: list[str], certified: np.ndarray) -> dict[str, pd.DataFrame]:
    everybody = pd.DataFrame({"partner_id": ids, "own": certified})
    return {
        "plans": _for_each(everybody, [PLAN | {"plan": number} for number in (1, 2, 3)]),
        "roadmap": _for_each(everybody, [STEP | {"plan": plan} | step for plan in (1, 2, 3) for step in STEPS]),
        "changes": _for_each(
            everybody, [CHANGE | {"target": "potential"}, CHANGE | {"target": "value", "unit": "points"}]
        ),
        "moved_metrics": _for_each(everybody, MOVED),
        "similar_partners": _similar(ids),
    }


def _for_each(everybody: pd.DataFrame, rows: list[dict[str, object]]) -> pd.DataFrame:
    """The same rows for every partner."""
    return everybody[["partner_id"]].merge(pd.DataFrame(rows), how="cross")


def _similar(ids: list[str]) -> pd.DataFrame:
    peers = [
        {"partner_id": partner, "rank": rank, "peer_id": ids[(place + rank) % len(ids)]}
        for place, partner in enumerate(ids)
        for rank in (1, 2, 3)
    ]
    return pd.DataFrame(peers).assign(**SIMILAR)
