"""Opening a channel for a pilot: the accepted tables, and the models in force where the pilot asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from tierwise.config.load import Workspace
from tierwise.config.pilot_checks import MODEL_FIGURES
from tierwise.errors import Fault, Refused
from tierwise.jobs.accept import accepted_tables, refuse_unfit
from tierwise.jobs.pilot_files import OpenPilot, model_names, names_in, needs_models
from tierwise.jobs.pilot_snapshot import Channel
from tierwise.jobs.policy_inputs import ARCHETYPE_COLUMNS, POTENTIAL_COLUMNS
from tierwise.jobs.progress import Steps
from tierwise.tracking import Champion, Registry


@contextmanager
def open_channel(
    workspace: Workspace, output: Path, today: date, champion: Champion | None, steps: Steps
) -> Iterator[Channel]:
    """Read and check the tables of the workspace.

    Raises:
        Refused: If the data is unfit.
    """
    with accepted_tables(workspace, today, steps) as (engine, check):
        refuse_unfit(check)
        yield Channel(engine, workspace, output, champion)


def newest_day(workspace: Workspace, today: date) -> date:
    """The last day that the sources can tell of."""
    return workspace.settings.extracted_on or today


def champion_for(workspace: Workspace, pilot: OpenPilot) -> Champion | None:
    """The models in force where the pilot asks for archetypes or potential; None where it does not.

    Raises:
        Refused: If it does and none is in force, or its potential knows what the pilot changed.
    """
    if not needs_models(pilot.settings):
        return None
    champion = Registry.of(workspace).load_champion()
    trained = trained_as_of(champion)
    figures = [name for name in MODEL_FIGURES if name in pilot.settings.covariates]
    if figures and trained is not None and trained > pilot.eve:
        what = (
            f"the model in force was trained as of {trained}, after the pilot's last day before its start "
            f"({pilot.eve}): its {figures[0]} may know what the pilot changed"
        )
        todo = "take it out of the covariates; as a column to match on it does no harm"
        raise Refused(Fault(what, pilot.document.where(("covariates",)), todo=todo))
    return champion


def champion_for_design(workspace: Workspace, pilot: OpenPilot) -> tuple[Champion | None, tuple[str, ...]]:
    """The models in force for a design, which does without where it can.

    Returns:
        The models, or None with what a reader should know.

    Raises:
        Refused: If the rule of the population needs models and none is in force.
    """
    try:
        return champion_for(workspace, pilot), ()
    except Refused:
        if names_in(pilot.settings.population.where) & (ARCHETYPE_COLUMNS | POTENTIAL_COLUMNS):
            raise
        named = ", ".join(sorted(model_names(pilot.settings) or {"archetype"}))
        return None, (f"No model is in force: planned without {named}, which the draw will need ('tierwise train').",)


def trained_as_of(champion: Champion) -> date | None:
    """The as-of date of a version's training, where it is recorded."""
    text = champion.facts.get("as_of")
    return None if text is None else date.fromisoformat(text)


def late_model_note(champion: Champion | None, pilot: OpenPilot) -> tuple[str, ...]:
    """What to say where the models were trained after the pilot's start."""
    trained = None if champion is None else trained_as_of(champion)
    if trained is None or trained <= pilot.eve:
        return ()
    return (
        f"The model in force was trained as of {trained}, after the pilot's eve {pilot.eve}. It tells like partners "
        "from unlike ones for the draw, which stays by chance whatever the model knows.",
    )
