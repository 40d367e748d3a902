"""Put a version in force: only one that is shown to be better, unless someone says why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tierwise.config.load import Workspace
from tierwise.errors import Fault, InvalidInput, Refused
from tierwise.jobs.compare import STEPS as COMPARE_STEPS
from tierwise.jobs.compare import CompareRequest, compare
from tierwise.jobs.progress import Notify, silent
from tierwise.reports.comparison import ComparisonReport
from tierwise.tracking import InForce, Registry, VersionSummary

STEPS = COMPARE_STEPS
_OVERRULED = "the alarm of the guards against leaks had fired"
_NONE_IN_FORCE = "no version was in force, so there was none to compare it with"


@dataclass(frozen=True)
class PromotionRequest:
    """Which version, who decides, and why.

    Attributes:
        version: A version number or `challenger`.
        by: Who decides.
        today: The day of the run, for the comparison.
        because: Why it is put in force although it may not be better; without it the comparison decides.
    """

    version: str
    by: str
    today: date
    because: str | None = None


@dataclass(frozen=True)
class Promotion:
    """A version that was put in force.

    Attributes:
        entry: What was recorded.
        comparison: What decided; None where someone said why instead, or there was nothing to compare with.
    """

    entry: InForce
    comparison: ComparisonReport | None = None


def promote(workspace: Workspace, request: PromotionRequest, notify: Notify = silent) -> Promotion:
    """Put a version in force.

    Without a reason it must be better than the version in force on past reviews that are out of time for both, and the
    guards against leaks must not have fired in its training. With a reason nothing is compared; the reason is recorded.

    Raises:
        InvalidInput: If there is no such version, the reason is empty, or the two cannot be compared.
        Refused: If it is in force already, its alarm fired, or it is not shown to be better.
        OutsideFailure: If MLflow or a source fails; the version in force is then unchanged.
    """
    registry = Registry.of(workspace)
    found = registry.find(request.version)
    if "champion" in found["aliases"]:
        raise Refused(Fault(f"version {found['version']} is in force already"))
    alarmed = found["facts"].get("alarm") == "fired"
    if request.because is not None:
        return Promotion(_put(registry, found, request.by, _reason(request.because, alarmed)))
    if alarmed:
        raise Refused(_alarm(found))
    if not any("champion" in version["aliases"] for version in registry.versions()):
        return Promotion(_put(registry, found, request.by, _NONE_IN_FORCE))
    version = str(found["version"])
    report = compare(workspace, CompareRequest(request.today, "champion", version), notify)
    if report.verdict != "better":
        raise Refused(_not_better(report))
    return Promotion(_put(registry, found, request.by, f"compared: {report.sentence}"), report)


def _put(registry: Registry, found: VersionSummary, by: str, because: str) -> InForce:
    return registry.promote(str(found["version"]), by=by, because=because)


def _reason(because: str, alarmed: bool) -> str:
    if not because.strip():
        raise InvalidInput(Fault("--because is empty", todo='say why: --because "..."'))
    return f"{because} ({_OVERRULED})" if alarmed else because


def _alarm(found: VersionSummary) -> Fault:
    version = found["version"]
    return Fault(
        f"version {version} is too good to be true: the guards against leaks fired in its training",
        where=f"tierwise models show {version}",
        todo="take the columns that its model card names out of the features and train again, or say why they are "
        'honest: --because "..."',
    )


def _not_better(report: ComparisonReport) -> Fault:
    return Fault(
        f"version {report.second} stays out of force: {report.sentence}",
        where=f"MLflow run {report.run_id}" if report.run_id else "",
        todo='keep the version in force, or say why this one replaces it all the same: --because "..."',
    )
