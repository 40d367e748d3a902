"""Preview and replay as pages of HTML with pictures; they need no script and no network."""

from __future__ import annotations

from tierwise.policy import Replay
from tierwise.reports.policy import PreviewReport, ReplayReport
from tierwise.reports.policy_pictures import movement_matrix_svg, shares_svg
from tierwise.reports.sections import Section, sections_html

NO_TIER = "(no tier)"


def preview_page(report: PreviewReport) -> str:
    """Render a preview: the movement matrix between the two policies, then the tables."""
    changes = report.preview.changes.assign(
        from_tier=report.preview.changes["tier_in_force"].fillna(NO_TIER),
        to_tier=report.preview.changes["tier_new"].fillna(NO_TIER),
    )
    names = list(report.new.tier_names)
    older = [] if report.current is None else [name for name in report.current.tier_names if name not in names]
    there = {*changes["from_tier"], *changes["to_tier"]}
    tiers = [name for name in (NO_TIER, "exit", *older, *names) if name in there or name in names]
    title = f"Partners by tier: {report.current.version if report.current else 'today'} to {report.new.version}"
    picture = movement_matrix_svg(changes[["from_tier", "to_tier", "partners"]], tiers, title)
    matrix = Section("From tier to tier", text=(f"{title}.",), picture=picture)
    return sections_html(report.title, [matrix, *report.sections()])


def replay_page(report: ReplayReport) -> str:
    """Render a replay: the comparison, then each policy's shares over time and movement matrix."""
    parts = list(report.sections())
    for name, replayed in report.replays.items():
        parts += _replay_sections(name, replayed)
    return sections_html(report.title, parts)


def _replay_sections(name: str, replayed: Replay) -> list[Section]:
    tiers = list(dict.fromkeys(replayed.shares["tier"]))
    shares = shares_svg(replayed.shares, tiers, f"Tier shares over time by {name}")
    there = {*replayed.matrix["from_tier"], *replayed.matrix["to_tier"]}
    ladder = [*(["exit"] if "exit" in there else []), *tiers]
    matrix = movement_matrix_svg(replayed.matrix, ladder, f"Moves from tier to tier by {name}")
    return [
        Section(f"{name}: tier shares over time", picture=shares),
        Section(f"{name}: reviews from tier to tier", picture=matrix),
    ]
