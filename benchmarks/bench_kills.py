"""SIGKILL at random moments over `score`: the review must be whole after each, and the next run gives the same bytes.

A small synthetic channel is trained and scored twice; its second review is then written again and again, each run
killed at a random moment of its own stretch of the time that an undisturbed run takes.

    python benchmarks/bench_kills.py --engine spark --times 30
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.killed_runs import contents, finish, kills, random_moments  # noqa: E402
from tierwise.config.load import load_workspace  # noqa: E402
from tierwise.jobs.init import InitRequest, init  # noqa: E402
from tierwise.jobs.score import ScoreRequest, score  # noqa: E402
from tierwise.jobs.train import train  # noqa: E402

SEED = 20261122
BEFORE, AS_OF, TODAY = date(2026, 6, 30), date(2026, 9, 30), date(2026, 10, 15)


def make_channel(folder: Path, partners: int) -> None:
    """A synthetic channel with a trained model and two reviews."""
    init(InitRequest(folder, "demo", partners=partners, years=4))
    train(load_workspace(folder), BEFORE, TODAY)
    for day in (BEFORE, AS_OF):
        score(load_workspace(folder), ScoreRequest(day, TODAY))


def main() -> None:
    """Read the command line, kill, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("duckdb", "spark"), default="duckdb")
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--partners", type=int, default=150)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, temporary = Path(name) / "channel", Path(name) / "temporary"
        make_channel(folder, given.partners)
        expected = contents(folder, AS_OF)
        longest = finish(folder, AS_OF, TODAY, given.engine, temporary)
        assert contents(folder, AS_OF) == expected, "the engine gives another review"
        moments = random_moments(longest, given.times, SEED)
        found = list(kills(folder, AS_OF, TODAY, given.engine, temporary, moments))
        left = len(list(temporary.glob("tierwise-*")))
        again = finish(folder, AS_OF, TODAY, given.engine, temporary)
        assert contents(folder, AS_OF) == expected, "the run after the kills gives another review"
        cleared = len(list(temporary.glob("tierwise-*"))) == 0
        others = sorted(path.name for path in temporary.iterdir())
    print("| engine | kills | hit a run at work | review replaced before | undisturbed run, s | last run, s |")
    print("| --- | --- | --- | --- | --- | --- |")
    at_work, replaced = (sum(getattr(one, key) for one in found) for key in ("in_time", "replaced"))
    print(f"| {given.engine} | {len(found)} | {at_work} | {replaced} | {longest:.1f} | {again:.1f} |")
    print(
        f"\nAfter every kill the review was whole, with the bytes it had; so was the last run's. {left} working folders"
    )
    print(f"were left by kills; the last run cleared {'all' if cleared else 'NOT ALL'} of them (others: {others}).")


if __name__ == "__main__":
    main()
