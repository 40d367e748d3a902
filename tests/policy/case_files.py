"""Reads the case files under tests/cases: a policy, partners' facts, and the tier each must get."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from tierwise.config.policy import Policy, load_policy
from tierwise.config.yaml_reader import read_yaml
from tierwise.engine import Engine
from tierwise.policy import NO_HISTORY, Placement, move, place
from tierwise.policy.texts import flags_of, needed_columns

CASES = Path(__file__).parent.parent / "cases"
PARTNER = "P1"


@dataclass(frozen=True)
class Case:
    """One case of a case file."""

    name: str
    policy: Policy
    content: dict

    @property
    def reviews(self) -> list[dict]:
        """The case's reviews; a case without reviews is one placement."""
        return self.content.get("reviews", [])


def read_cases(folder: Path = CASES) -> list[Case]:
    """Every case of every `cases.yaml`, with the policy that stands beside it."""
    return [
        Case(f"{path.parent.relative_to(folder)}: {content['note']}", load_policy(path.parent / "policy.yaml"), content)
        for path in sorted(folder.rglob("cases.yaml"))
        for content in read_yaml(path).data["cases"]
    ]


def inputs_of(policy: Policy, facts: dict, flags: list[str] = ()) -> pd.DataFrame:
    """One partner's row: what the facts leave out is unknown, a flag that is not listed is not in force."""
    row = {name: facts.get(name) for name in needed_columns(policy)} | facts
    row |= {flag: flag in flags for flag in flags_of(policy)}
    frame = pd.DataFrame([{"partner_id": PARTNER, **row}])
    empty = [name for name in frame if frame[name].isna().all()]
    return frame.astype(dict.fromkeys(empty, "float64"))


def place_case(engine: Engine, policy: Policy, content: dict) -> Placement:
    """Place the one partner of a case or of one of its reviews; `units` gives the facts of each of its units."""
    if "units" in content:
        rows = [inputs_of(policy, facts, content.get("flags", [])) for facts in content["units"]]
        return place(engine, policy, pd.concat(rows, ignore_index=True))
    return place(engine, policy, inputs_of(policy, content.get("facts", {}), content.get("flags", [])))


def play(engine: Engine, case: Case) -> list[dict]:
    """Move the partner through the case's reviews and return each recommendation as a dict."""
    start = case.content.get("start")
    history = NO_HISTORY
    if start is not None:
        history = pd.DataFrame([{"partner_id": PARTNER, "eligible_tier": None, "action": None, "rule": None, **start}])
    played = []
    for review in case.reviews:
        day: date = review["as_of"]
        moved = move(case.policy, place_case(engine, case.policy, review), history, day)
        played.append(moved.iloc[0].to_dict())
        history = pd.concat([history, moved.assign(as_of=pd.Timestamp(day), tier=moved["recommended_tier"])])
    return played
