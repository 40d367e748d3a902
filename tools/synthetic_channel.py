"""The page `docs/synthetic-channel.md`: what the generator makes, the truth, and figures of the default channel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from tierwise.potential.gini import normalized_gini
from tierwise.synthetic import Channel, ChannelSettings, generate
from tierwise.synthetic.faults import FAULTS
from tierwise.synthetic.profiles import ARCHETYPES, REGIONS, USD_RATES

SEED = 1
YEAR = pd.DateOffset(years=1)

_HEAD = """# The synthetic channel

For data scientists, and for anyone who wants to try Tierwise without data: a made-up software vendor with its partners,
of which everything is known. No figure is a real company's.

```
tierwise init my-demo --example demo                                # 600 partners, five years
tierwise init my-demo --example demo --partners 100000 --seed 7     # any size up to 1,000,000
```

The same seed gives the same bytes. Partner number N depends on the seed alone, so a small channel is the beginning of
a large one: partners are drawn in chunks of 1,000, each chunk and subject with a random stream of its own. Up to 5,000
partners some tables are CSV and some Parquet; beyond that all are Parquet, in parts of 20,000 partners, and
`tierwise.yaml` reads the parts. Memory does not grow with the number of partners. On two cores of a cloud machine
100,000 partners (18.7 million rows, 0.2 GB of files) took 19 s and 0.55 GB.

## How it works

* **Archetypes**: every partner belongs to one of five hidden archetypes, which differ in deals, cycle, cross-selling,
  joint work, certifications, claims, logins and cases. The declared partner type agrees with it in about four of five.
* **Level**: archetype, size, region and a lasting difference of its own; ramp-up after joining, growth or shrinking, a
  random walk, and for some a lasting decline, after which partners leave more often.
* **Engagement**: a hidden swing that carries over from quarter to quarter. It shows at once in logins, certifications
  and claims, a quarter later in new opportunities, and two to three quarters later in revenue.
* **Deals**: opportunities arrive at random (Poisson); each is decided after a random wait (Weibull), won or lost by the
  partner's own chance, the season and the shock, for a random amount (log-normal) near its estimate.
* **Shock**: from April to December 2024 partners in EMEA win half as much, all others 15 % less.
* **Lateness**: every event has the day on which it became known: three of five the same day, 3 % two to eleven weeks
  later. The tables are extracted on 15 October 2026, fifteen days after the last event.
* **No leaks**: an opportunity's row holds what was known at its creation. Its outcome is a row of `deals`, which exists
  from the day of the decision on; claims and cases likewise. What changes (size, manager, status) is in
  `partner_history`, from a date on.
* **Tiers so far**: `tier_history` holds the seven quarterly reviews under the revenue policy of 2024-10-01. Scoring
  2026-06-30 by that policy gives the same tiers again.
* **Bad rows**: 0.3 % of deals, certifications and claims are spoilt copies, so that the data report has something to
  show.

"""
_WORKSPACE = """## The workspace around it

`pipelines/demo` maps these tables, with 36 metrics in nine families and two policies: the older one, which looks at
revenue alone, and the one in force since 2026-07-01, which asks for revenue by region and for a value of 100 points
(40 revenue potential, 20 market reach, 20 strategic alignment, 20 velocity). Archetypes are found by eight metrics of
behaviour, named under `archetypes` in `tierwise.yaml`: with all metrics they would tell large partners from small ones.

"""
_TRUTH = """## The truth

It lies in `truth/`, beside `data/`, and nothing in `tierwise.yaml` leads there: no training reads it.

| file | a row is | columns |
| --- | --- | --- |
| `partners.parquet` | a partner | archetype, chance to win, yearly log growth, start of decline, last day |
| `potential.parquet` | a partner and quarter end, for the last three years | `oracle_usd`, `realised_usd` |
| `planted_faults.parquet` | a bad row | table, rule, column, key |

`oracle_usd` is the expected won revenue of the next four quarters, given all that is hidden on that day: traits,
engagement, random walk, decline, and every open opportunity. It knows neither later chance nor a shock that has not
begun, and once the shock has begun, how long it lasts. No model can be expected to rank partners better. `realised_usd`
is what was won in those quarters, empty where they are not over. The oracle is exact up to two simplifications:
quarters are equally long, and partners leave in mid-quarter.

"""
_COLUMNS = ("as of", "partners", "expected, USD m", "came, USD m", "oracle", "persistence")


def page() -> str:
    """The page's Markdown, with the figures of the default channel of seed 1."""
    channel = generate(ChannelSettings(), SEED)
    return f"""{_HEAD}{_WORKSPACE}{_TRUTH}## Figures

Of the default channel with seed {SEED}; `make docs` writes them.

### Tables

{_rows_by_table(channel)}

### Concentration as of 2026-09-30

{_concentration(channel)}

### Archetypes

Medians over partners that were there for the last eight quarters.

{_archetypes(channel)}

### How far anyone can see

Normalized Gini, against what was won in the next four quarters, of the oracle and of persistence (the last four
quarters). Until March 2024 neither knows of the shock.

{_oracle(channel)}
"""


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(header)} |", f"| {' | '.join('---' for _ in header)} |"]
    return "\n".join([*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)])


def _rows_by_table(channel: Channel) -> str:
    planted = {name: sum(fault.table == name for fault in FAULTS) for name in channel.tables}
    listed = channel.truth["planted_faults"]["table"].to_pylist()
    return _table(
        ("table", "rows", "bad rows planted", "kinds"),
        [
            (f"`{name}`", f"{table.num_rows:,}", listed.count(name), planted[name])
            for name, table in channel.tables.items()
        ],
    )


def _won(channel: Channel) -> pd.DataFrame:
    deals = channel.tables["deals"].to_pandas()
    deals = deals[(deals["status"] == "won") & deals["currency"].isin(USD_RATES) & ~deals["deal_id"].duplicated()]
    usd = deals["amount"].astype(float) * deals["currency"].map(USD_RATES)
    won = deals.assign(usd=usd, day=pd.to_datetime(deals["decided_on"]))
    return pd.DataFrame(won[won["usd"] > 0])


def _revenue(won: pd.DataFrame, as_of: pd.Timestamp, partners: pd.Series) -> pd.Series:
    """Won revenue of the four quarters up to a day, for each of the partners."""
    past = won[(won["day"] <= as_of) & (won["day"] > as_of - YEAR)]
    return past.groupby("partner_id")["usd"].sum().reindex(pd.Index(partners), fill_value=0.0)


def _concentration(channel: Channel) -> str:
    partners = channel.tables["partners"].to_pandas()
    present = partners[partners["left_on"].isna()]
    revenue = _revenue(_won(channel), pd.Timestamp("2026-09-30"), present["partner_id"])
    ordered = np.sort(revenue.to_numpy())
    ranks = np.arange(1, len(ordered) + 1)
    gini = float((2 * ranks - len(ordered) - 1) @ ordered / (len(ordered) * ordered.sum()))
    shares = present["region"].value_counts(normalize=True)
    joined = int((pd.to_datetime(partners["joined_on"]) > "2021-09-30").sum())
    rows = [
        ("partners that are there", f"{len(present)} of {len(partners)}"),
        ("partners that joined in the five years", joined),
        ("won revenue of the last four quarters", f"USD {ordered.sum() / 1e6:.0f} m"),
        ("share of the top tenth of partners", f"{ordered[-(len(ordered) // 10) :].sum() / ordered.sum():.0%}"),
        ("Gini coefficient", f"{gini:.2f}"),
        ("partners without revenue in four quarters", f"{(ordered == 0).mean():.0%}"),
        ("partners by region", ", ".join(f"{region.name} {shares[region.name]:.0%}" for region in REGIONS)),
    ]
    return _table(("figure", "value"), rows)


def _archetypes(channel: Channel) -> str:
    partners = channel.tables["partners"].to_pandas().merge(channel.truth["partners"].to_pandas(), on="partner_id")
    there = partners[partners["left_on_x"].isna() & (pd.to_datetime(partners["joined_on"]) <= "2024-09-30")]
    since = pd.Timestamp("2024-09-30")
    won = _won(channel)
    recent = won[won["day"] > since].groupby("partner_id")
    logins = channel.tables["portal_logins"].to_pandas()
    logins = logins[pd.to_datetime(logins["month_end"]) > since].groupby("partner_id")["logins"].sum()
    figures = pd.DataFrame(
        {"deals": recent.size(), "deal": recent["usd"].mean(), "cycle": recent["cycle_days"].mean(), "logins": logins}
    )
    merged = there.merge(figures, left_on="partner_id", right_index=True, how="left").fillna({"deals": 0, "logins": 0})
    medians = merged.groupby("archetype")[["deals", "deal", "cycle", "logins"]].median()
    shares = partners["archetype"].value_counts(normalize=True)
    return _table(
        ("archetype", "share of partners", "deals won a year", "average deal, USD", "days to decide", "logins a month"),
        [
            (
                profile.title,
                f"{shares[profile.code]:.0%}",
                f"{medians['deals'][profile.code] / 2:.1f}",
                f"{medians['deal'][profile.code]:,.0f}",
                f"{medians['cycle'][profile.code]:.0f}",
                f"{medians['logins'][profile.code] / 24:.1f}",
            )
            for profile in ARCHETYPES
        ],
    )


def _oracle(channel: Channel) -> str:
    won = _won(channel)
    known = channel.truth["potential"].to_pandas().dropna(subset="realised_usd")
    rows = []
    for as_of, group in known.groupby("as_of"):
        came = group["realised_usd"].to_numpy()
        persistence = _revenue(won, pd.Timestamp(str(as_of)), group["partner_id"]).to_numpy()
        expected = group["oracle_usd"].to_numpy()
        ranks = [f"{normalized_gini(came, guess):.3f}" for guess in (expected, persistence)]
        rows.append((as_of, len(group), f"{expected.sum() / 1e6:.1f}", f"{came.sum() / 1e6:.1f}", *ranks))
    return _table(_COLUMNS, rows)
