"""What a person should know before trusting figures, though no rule is broken."""

from __future__ import annotations

from tests.tables.small_channel import check, deal, small_workspace


def warnings(engine, rows, **changes) -> list[str]:
    return [str(fault).splitlines()[0] for fault in check(engine, small_workspace(**changes), rows).warnings]


def test_partners_without_events_are_named(engine):
    result = check(engine, small_workspace(), {"deals": [deal(1, units="1", known_on="2026-05-01")]})

    silent = result.warnings[-1]
    assert silent.what == "partners without an event in any table: 1 of 2"
    assert silent.examples == ("P2",)


def test_an_empty_table_and_empty_columns_are_named(engine):
    partners = [{"partner_id": "P1", "joined_on": "2026-01-01"}]
    found = warnings(engine, {"partners": partners})

    assert found[:2] == [
        "table 'partners': columns without any value: region, left_on",
        "table 'deals': the source has no rows",
    ]


def test_late_and_early_knowledge_is_counted(engine):
    known = ["2026-05-01", "2026-05-11", "2026-07-01", "2026-04-01"]
    found = warnings(engine, {"deals": [deal(n, units="1", known_on=day) for n, day in enumerate(known)]})

    assert found[1] == (
        "table 'deals': events that became known late: 2 (50.0%), half of them within 10 days, the last after 61"
    )
    assert found[2] == "table 'deals': events that were known before their date: 1"


def test_prospects_are_named(engine):
    own = small_workspace().settings.tables["deals"].model_dump(by_alias=True, exclude_defaults=True)
    found = warnings(
        engine, {"deals": [deal(partner_id="X")]}, tables={"deals": {**own, "unknown_partner": "prospect"}}
    )

    assert "table 'deals': accepted rows of prospects, who are not in the partner table: 1" in found
