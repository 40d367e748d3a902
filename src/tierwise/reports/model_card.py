"""The model card: what a registered model is, what it was trained on, how it did, and what it must not be used for.

After Mitchell et al. (2019), "Model Cards for Model Reporting"; written for the committee that decides whether a
version is put in force.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import pandas as pd

from tierwise.reports.leaks import leaks_section
from tierwise.reports.numbers import SCORE_TITLES, UNKNOWN, number, share
from tierwise.reports.sections import Section, sections_html, sections_markdown
from tierwise.reports.stability import stability_section

MARKDOWN, HTML = "model-card.md", "model-card.html"
POOLED = "all"
_CANDIDATES = ("persistence", "run_rate", "glm", "trees", "model", "chosen")
_LIMITS = (
    "Potential is an expectation from past behaviour; it says what is associated with value, never what causes it.",
    "Headroom is what comparable partners attain, not a forecast.",
    "Intervals hold as long as the market behaves as in the past reviews; after a break they do not.",
    "The model does not know the partner's current tier, unless the model file asks for it (`tier_as_feature`).",
    "A recommendation is a proposal: people decide, and may make an exception with a reason.",
)
_IN_WORDS = ("sets_apart", "rule", "rule_precision", "rule_recall", "rules_accuracy")
_WHO_COUNTS = (
    "Counted are the partners that were there on the date; those that had left do not shape archetypes, but are "
    "shown with the nearest one elsewhere."
)


@dataclass(frozen=True)
class ModelCard:
    """What a model card tells; the frames are those that the back-test and the archetypes made.

    Attributes:
        workspace: The workspace's name.
        as_of: The as-of date of the training.
        data_fingerprint: The fingerprint of the accepted tables.
        program_version: The version of Tierwise.
        target: What potential is the future value of, as people read it.
        unit: Its unit.
        horizon: How far ahead.
        snapshots: Number of labelled snapshots.
        partners: Number of partners known as of the date.
        gate: What is used for partners with a history: `model` or `persistence`.
        gate_sentence: Why.
        gate_probability: Bootstrap probability that the model ranks better; None where nothing could be tested.
        features: `name, family, direction`.
        scores: `origin, candidate, score, value, low, high, partners`; origin `all` is the mean over origins.
        calibration: `origin, candidate, decile, partners, predicted, actual`.
        coverage: `origin, source, band, partners, coverage, nominal`.
        archetypes: `archetype, partners, share` and what else the profile tells.
        archetypes_sentence: What was found, or why nothing was.
        leaks: `subject, kind, code, share, yardstick, probability, fired`: what the guards against leaks looked at.
        alarm: What they say: `fired`, `quiet` or `not_tested`.
        alarms: What they named, in words.
        tier_effect: How much rests on the current tier, where it is a feature.
        notes: What could not be done, and why.
        contact: Who answers questions about this model.
        stability: How far explanations can be trusted: `check, value, expected, meaning`.
        pictures: The plots as SVG elements, by name; shown on the page.
    """

    workspace: str
    as_of: date
    data_fingerprint: str
    program_version: str
    target: str
    unit: str
    horizon: str
    snapshots: int
    partners: int
    gate: str
    gate_sentence: str
    gate_probability: float | None = None
    features: pd.DataFrame = field(default_factory=pd.DataFrame)
    scores: pd.DataFrame = field(default_factory=pd.DataFrame)
    calibration: pd.DataFrame = field(default_factory=pd.DataFrame)
    coverage: pd.DataFrame = field(default_factory=pd.DataFrame)
    archetypes: pd.DataFrame = field(default_factory=pd.DataFrame)
    archetypes_sentence: str = ""
    leaks: pd.DataFrame = field(default_factory=pd.DataFrame)
    alarm: str = "not_tested"
    alarms: tuple[str, ...] = ()
    tier_effect: str = ""
    notes: tuple[str, ...] = ()
    contact: str = "the owner of the workspace"
    stability: pd.DataFrame = field(default_factory=pd.DataFrame)
    pictures: Mapping[str, str] = field(default_factory=dict)


def model_card_documents(card: ModelCard) -> dict[str, str]:
    """Render the card as Markdown and HTML, by file name."""
    title = f"Model card: potential and archetypes of {card.workspace}"
    sections = _sections(card)
    return {MARKDOWN: sections_markdown(title, sections), HTML: sections_html(title, sections)}


def _sections(card: ModelCard) -> list[Section]:
    return [
        _what(card),
        *_warning(card),
        _gate(card),
        _data(card),
        _pictured(_backtest(card.scores), card, "gini-by-origin"),
        _pictured(_other_scores(card.scores), card, "gain-curve"),
        _pictured(_calibration(card.calibration), card, "calibration-by-decile"),
        _pictured(_coverage(card.coverage), card, "interval-coverage"),
        *_only_pictured("Do retrains agree?", card, "rank-stability"),
        _pictured(_archetypes(card), card, "archetype-map"),
        *_archetypes_apart(card.archetypes),
        *_only_pictured("Do partners still look like those of the training?", card, "drift"),
        _features(card.features),
        *stability_section(card.stability),
        leaks_section(card.leaks, card.alarm),
        Section("Limits", text=(*_LIMITS, *(f"Not done in this training: {note}." for note in card.notes))),
        Section("Who to ask", text=(f"Questions about this model go to {card.contact}.",)),
    ]


def _warning(card: ModelCard) -> list[Section]:
    """What a reader must know before anything else."""
    text = []
    if card.alarm == "fired":
        text.append(
            "The guards against leaks fired: what follows is too good to be true, unless the columns named here are "
            "shown to be known on the day. `tierwise models promote` refuses this version without a reason."
        )
        text += [f"{sentence}." for sentence in card.alarms]
    if card.tier_effect:
        text.append(card.tier_effect)
    return [Section("Warning", text=tuple(text))] if text else []


def _pictured(section: Section, card: ModelCard, plot: str) -> Section:
    return replace(section, picture=card.pictures.get(plot, ""))


def _only_pictured(title: str, card: ModelCard, plot: str) -> list[Section]:
    """A section of a plot alone; its numbers are the file of the same name in the run's folder `plots`."""
    if plot not in card.pictures:
        return []
    text = (f"The plot and its numbers are the files `plots/{plot}` of the training run.",)
    return [Section(title, text=text, picture=card.pictures[plot])]


def _what(card: ModelCard) -> Section:
    return Section(
        "What it is",
        text=(
            f"Two models of the partners of {card.workspace}, trained as of {card.as_of}.",
            f"Potential: what “{card.target}” of each partner is expected to be over the next {card.horizon}, in "
            f"{card.unit}, with an interval. It is the geometric mean of a Tweedie regression and of boosted trees "
            "that are monotone where the metric catalog gives a direction.",
            "Archetypes: natural groups of partners by their figures and attributes, with ids that stay the same from "
            "one training to the next.",
            "It is used to rank partners, to order reviews and as one criterion among others in the tier policy.",
        ),
    )


def _gate(card: ModelCard) -> Section:
    used = {
        "model": "Yes: partners with a history get the model's figure.",
        "persistence": "No: partners with a history get their last period's figure, which the model did not beat.",
    }
    chance = card.gate_probability
    tested = "" if chance is None else f" Bootstrap probability that it ranks better than persistence: {chance:.2f}."
    return Section("Is the model used?", text=(used.get(card.gate, card.gate), f"Why: {card.gate_sentence}.{tested}"))


def _data(card: ModelCard) -> Section:
    rows = (
        ("as of", f"{card.as_of}"),
        ("partners known on that date", f"{card.partners:,}"),
        ("labelled snapshots (one per partner and past quarter end)", f"{card.snapshots:,}"),
        ("data fingerprint", card.data_fingerprint),
        ("Tierwise", card.program_version),
    )
    text = ("Every label window closed on or before the as-of date; features use events up to their own date only.",)
    return Section("What it was trained on", ("fact", "value"), rows, text=text)


def _backtest(scores: pd.DataFrame) -> Section:
    title = "Out of time: normalised Gini per past review"
    if scores.empty:
        return Section(title, text=("No past review has completed, so nothing could be tested out of time.",))
    gini = scores[scores["score"] == "gini"]
    candidates = [name for name in _CANDIDATES if name in set(gini["candidate"])]
    values = gini.set_index(["origin", "candidate"])["value"]
    partners = gini.groupby("origin")["partners"].max()
    origins = sorted(gini["origin"].unique(), key=lambda origin: (origin == POOLED, origin))
    rows = [
        (origin, number(partners[origin]), *(number(values.get((origin, name))) for name in candidates))
        for origin in origins
    ]
    text = ("Each review was predicted by a model trained on what had closed by then. `chosen` is what was in use.",)
    return _table(title, ("origin", "partners", *candidates), rows, text)


def _other_scores(scores: pd.DataFrame) -> Section:
    title = "Out of time: all scores, mean over the reviews"
    if scores.empty:
        return Section(title, text=("Nothing to show.",))
    pooled = scores[scores["origin"] == POOLED]
    candidates = [name for name in (*_CANDIDATES, "median") if name in set(pooled["candidate"])]
    cells = {(row.score, row.candidate): _with_interval(row) for row in pooled.itertuples()}
    rows = [
        (words, *(cells.get((score, candidate), UNKNOWN) for candidate in candidates))
        for score, words in SCORE_TITLES.items()
        if (pooled["score"] == score).any()
    ]
    text = ("In brackets the interval of a bootstrap over partners; `median` is the separate model of the median.",)
    return Section(title, ("score", *candidates), tuple(rows), frozenset(range(1, len(candidates) + 1)), text)


def _with_interval(row: object) -> str:
    value, low, high = (number(getattr(row, name)) for name in ("value", "low", "high"))
    return value if UNKNOWN in (low, high) else f"{value} ({low}–{high})"


def _calibration(table: pd.DataFrame) -> Section:
    title = "Calibration by tenth of the prediction, last completed review"
    if table.empty:
        return Section(title, text=("Nothing to show.",))
    own = table[(table["origin"] != POOLED) & (table["candidate"] == "chosen")]
    last = own[own["origin"] == own["origin"].max()]
    rows = [
        (f"{row.decile}", number(row.partners), number(row.predicted), number(row.actual), _ratio(row))
        for row in last.itertuples()
    ]
    text = ("Mean prediction and mean actual value; a ratio of 1 is right.",)
    return _table(title, ("tenth", "partners", "predicted", "actual", "predicted / actual"), rows, text)


def _ratio(row: object) -> str:
    actual, predicted = getattr(row, "actual", 0.0), getattr(row, "predicted", 0.0)
    return number(predicted / actual) if actual else UNKNOWN


def _coverage(table: pd.DataFrame) -> Section:
    title = "How often the interval held"
    if table.empty:
        return Section(title, text=("No interval could be tested: too few past reviews have completed.",))
    rows = [
        (row.origin, row.source, f"{row.band}", number(row.partners), share(row.coverage), share(row.nominal))
        for row in table.itertuples()
    ]
    header = ("origin", "source", "size band", "partners", "inside", "promised")
    return _table(title, header, [tuple(map(str, row)) for row in rows])


def _archetypes(card: ModelCard) -> Section:
    text = (card.archetypes_sentence,) if card.archetypes_sentence else ()
    counted = text if card.archetypes.empty else (*text, _WHO_COUNTS)
    return _frame("Archetypes", card.archetypes.drop(columns=list(_IN_WORDS), errors="ignore"), counted)


def _archetypes_apart(archetypes: pd.DataFrame) -> list[Section]:
    """What the profiles say in words, in a table of its own: beside the figures no page is wide enough for it."""
    words = [name for name in _IN_WORDS if name in archetypes.columns]
    if archetypes.empty or not words:
        return []
    named = archetypes[["archetype_id", *words]].rename(columns={"archetype_id": "archetype"})
    return [_frame("What sets the archetypes apart", named, ())]


def _features(features: pd.DataFrame) -> Section:
    text = ("Direction `up`: a higher value never lowers the model's figure, all else equal; `down` likewise.",)
    return _frame("What the models look at", features, text)


def _frame(title: str, frame: pd.DataFrame, text: tuple[str, ...]) -> Section:
    if frame.empty:
        return Section(title, text=(*text, "Nothing to show."))
    rows = [tuple(number(cell) for cell in row) for row in frame.itertuples(index=False)]
    return _table(title, tuple(str(name).replace("_", " ") for name in frame.columns), rows, text)


def _table(title: str, header: tuple[str, ...], rows: Sequence[tuple[str, ...]], text: tuple[str, ...] = ()) -> Section:
    numeric = {column for column in range(len(header)) if rows and all(_is_number(row[column]) for row in rows)}
    return Section(title, header, tuple(rows), frozenset(numeric), text)


def _is_number(cell: str) -> bool:
    return cell == UNKNOWN or cell.replace(",", "").replace(".", "").replace("%", "").lstrip("-").isdigit()
