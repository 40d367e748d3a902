"""The workspace file (`tierwise.yaml`, DESIGN section 4): tables, calendar, currency, potential, output, MLflow."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self, get_args

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from tierwise.config.base import Settings
from tierwise.config.catalog import Name
from tierwise.config.durations import DurationText

TableKind = Literal["partners", "events", "history", "tier_history"]
ColumnType = Literal["text", "integer", "decimal", "money", "date", "timestamp", "boolean"]
SourceKind = Literal["csv", "parquet", "excel", "sqlite", "postgresql"]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(min_length=1)]
Constant = str | int | bool | Decimal | date
Month = Literal[
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
]  # fmt: skip


SOURCE_KINDS: tuple[SourceKind, ...] = get_args(SourceKind)
NUMBER_TYPES = ("integer", "decimal", "money")


class Source(Settings):
    """Where a table's rows come from; exactly one of the kinds.

    Attributes:
        csv: A file or a glob of files (`deals-*.csv`), relative to the data folder.
        parquet: Likewise for Parquet.
        excel: An .xlsx file; `sheet` names the sheet, the first by default.
        sqlite: A SQLite file; `table` names the table.
        postgresql: A connection address, normally `${NAME}` of an environment variable; `table` names the table.
        sheet: The sheet of an .xlsx file.
        table: The table of a database; for PostgreSQL it may carry a schema (`crm.deals`).
        delimiter: The CSV delimiter.
        encoding: The text encoding of a CSV file.
    """

    csv: Text | None = None
    parquet: Text | None = None
    excel: Text | None = None
    sqlite: Text | None = None
    postgresql: Text | None = None
    sheet: Text | None = None
    table: Text | None = None
    # A tab is a delimiter, not a blank to strip.
    delimiter: Annotated[str, StringConstraints(strip_whitespace=False, min_length=1, max_length=1)] = ","
    encoding: Literal["utf-8", "latin-1", "utf-16"] = "utf-8"

    @model_validator(mode="after")
    def _has_one_kind(self) -> Self:
        given = [kind for kind in SOURCE_KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(
                f"a source is exactly one of {', '.join(SOURCE_KINDS)}; found {', '.join(given) or 'none'}"
            )
        if given[0] in ("sqlite", "postgresql") and self.table is None:
            raise ValueError(f"a {given[0]} source needs 'table'")
        for option, kind_with_option in (("sheet", ("excel",)), ("table", ("sqlite", "postgresql"))):
            if getattr(self, option) is not None and given[0] not in kind_with_option:
                raise ValueError(f"a {given[0]} source takes no {option!r}")
        return self

    @property
    def kind(self) -> SourceKind:
        """Which of the kinds the source is."""
        return next(kind for kind in SOURCE_KINDS if getattr(self, kind) is not None)


class Lookup(Settings):
    """A reference table that column mappings may follow by key; its rows are neither partners nor events.

    Attributes:
        source: Where the rows come from.
        key: The source's column that a step of `via` looks its value up in.
    """

    source: Source
    key: Text


def _column_from_text(value: object) -> object:
    return {"from": value} if isinstance(value, str) else {} if value is None else value


class ColumnSettings(Settings):
    """One column of a table: where it comes from, its type and the rules it must keep.

    A plain text is the name of the source's column; no value at all means the source's column of the same name.

    Attributes:
        from_: The source's column; by default the same name (`from` in the file).
        via: Steps `lookup.column` followed one after another, each keyed by the value before it.
        value: A constant instead of a source column.
        type: The type; money is held as an exact decimal in the program currency.
        required: Whether an empty value is a fault.
        static: For a partner column, that it is true of all time; without it the column is for display only.
        allowed: The values that are allowed.
        min: The least allowed value.
        max: The greatest allowed value.
        currency: For money, the currency of every row.
        currency_from: For money, the source column that holds the row's currency.
        title: What people read for this column.
    """

    from_: Text | None = Field(default=None, alias="from")
    via: tuple[str, ...] = ()
    value: Constant | None = None
    type: ColumnType | None = None
    required: bool = False
    static: bool = False
    allowed: tuple[str, ...] | None = None
    min: Decimal | None = None
    max: Decimal | None = None
    currency: Currency | None = None
    currency_from: Text | None = None
    title: str = ""

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        if self.value is not None and (self.from_ is not None or self.via):
            raise ValueError("a column with a constant 'value' takes no 'from' and no 'via'")
        return self

    @model_validator(mode="after")
    def _rules_fit_the_type(self) -> Self:
        if self.currency is not None and self.currency_from is not None:
            raise ValueError("a money column has either 'currency' or 'currency_from', not both")
        if (self.currency or self.currency_from) and self.type != "money":
            raise ValueError("'currency' and 'currency_from' need 'type: money'")
        if (self.min is not None or self.max is not None) and self.type not in NUMBER_TYPES:
            raise ValueError(f"'min' and 'max' need a type that is a number: {', '.join(NUMBER_TYPES)}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"'min' is {self.min}, above 'max' {self.max}")
        return self


Column = Annotated[
    ColumnSettings, BeforeValidator(_column_from_text, json_schema_input_type=str | ColumnSettings | None)
]


class Tolerance(Settings):
    """The share of rows, and of money, that may be quarantined before `score` refuses.

    Attributes:
        rows: The share of rows.
        money: The share of the money column's sum, of absolute amounts.
    """

    rows: Share = 0.01
    money: Share = 0.01


class TableSettings(Settings):
    """One table of the workspace.

    Columns with a set meaning: `partner_id` (all tables), `name`, `joined_on` and `left_on` (partners), `date`
    and `known_on` (events), `valid_from` (history, tier history), `tier` (tier history).

    Attributes:
        kind: What a row is.
        source: Where the rows come from.
        columns: The columns, by their name in Tierwise.
        key: The columns that identify a row; by default `partner_id` of partners, partner and `valid_from` of
            histories, all columns together of events.
        money: The money column whose sum is reconciled.
        unknown_partner: What an event of a partner that is not in the partner table is: a fault, or a prospect's row.
        introduces_partners: For a history table, that a first row makes a partner known from its date on.
        rules: Further named SQL conditions that a row must meet.
        tolerance: The table's own tolerance, if it differs from the workspace's.
    """

    kind: TableKind
    source: Source
    columns: Annotated[dict[Name, Column], Field(min_length=1)]
    key: tuple[Name, ...] = ()
    money: Name | None = None
    unknown_partner: Literal["quarantine", "prospect"] = "quarantine"
    introduces_partners: bool = False
    rules: dict[Name, str] = Field(default_factory=dict)
    tolerance: Tolerance | None = None


class Calendar(Settings):
    """The fiscal calendar and the reviews.

    Attributes:
        fiscal_year_starts: The month in which the fiscal year starts.
        review: How often tiers are reviewed; a review's as-of date is the last day of the period.
    """

    fiscal_year_starts: Month = "january"
    review: Literal["month", "quarter"] = "quarter"


class CurrencySettings(Settings):
    """The program currency and the fixed program rates.

    Attributes:
        program: The currency in which all money is held.
        rates: Program currency units per one unit of each other currency; fixed, so that markets do not move tiers.
    """

    program: Currency = "USD"
    rates: dict[Currency, Annotated[Decimal, Field(gt=0)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _program_currency_is_one(self) -> Self:
        if self.rates.get(self.program, 1) != 1:
            raise ValueError(f"the rate of the program currency {self.program} is 1, not {self.rates[self.program]}")
        return self


class PotentialSettings(Settings):
    """What potential means in this workspace.

    Attributes:
        metric: The catalog metric whose future value is predicted; its window is the horizon.
        horizon: How far ahead.
        model: The file under `models/` (or in the workspace) with hyper-parameters; the shipped default otherwise.
        comparable_by: Attributes within which partners are comparable, for headroom.
        reviews: At most how many past reviews are used as training snapshots.
    """

    metric: Name
    horizon: DurationText
    model: str = "default"
    comparable_by: tuple[Name, ...] = ()
    reviews: Annotated[int, Field(ge=1)] = 12


class ArchetypeSettings(Settings):
    """What partners are compared by to find archetypes.

    Archetypes tell how a partner works. A catalog with many measures of how much it sells would tell the large from
    the small instead, so a workspace can name the metrics that describe behaviour.

    Attributes:
        metrics: The metrics to compare by, which must be features; by default all features of the catalog.
        attributes: The attributes to compare by; by default all.
    """

    metrics: tuple[Name, ...] = ()
    attributes: tuple[Name, ...] | None = None


class Segments(Settings):
    """Which attributes hold the standard segments; audits, peers and reports are cut by them.

    Attributes:
        region: The attribute of the region.
        industry: The attribute of the industry.
        size: The attribute of the size class.
        partner_type: The attribute of the kind of partner: reseller, integrator, distributor, ...
    """

    region: Name | None = None
    industry: Name | None = None
    size: Name | None = None
    partner_type: Name | None = None


class OutputSettings(Settings):
    """Where and how the output tables are written.

    Attributes:
        folder: The output folder, relative to the workspace.
        formats: File formats; Parquet is always written.
        postgresql: Connection address of a database that also receives the tables, if any.
        schema_: The database schema for them (`schema` in the file).
        rows_per_file: How many rows a Parquet file holds at most; a longer table is written as
            `<table>-00001.parquet` and so on. One file for each table by default, a million rows with `--engine spark`.
    """

    folder: str = "output"
    formats: tuple[Literal["parquet", "csv", "excel"], ...] = ("parquet",)
    postgresql: str | None = None
    schema_: Name = Field(default="tierwise", alias="schema")
    rows_per_file: Annotated[int, Field(ge=1)] | None = None


class SparkSettings(Settings):
    """Where and how Apache Spark runs, for `--engine spark`; nothing here changes a result.

    Attributes:
        master: The master, such as `spark://host:7077`, `yarn` or `local[4]`; as many local threads as
            `engine.threads` says by default. `TIERWISE_SPARK_MASTER` goes before it, and a session that runs already
            before both.
        scratch: A folder that the driver and all of Spark's machines see, for the tables handed over; the system's
            folder for temporary files by default, which suits a local master alone.
        conf: Further settings of Spark.
    """

    master: str | None = None
    scratch: str | None = None
    conf: dict[str, str] = Field(default_factory=dict)


class EngineSettings(Settings):
    """Limits of the embedded engine, and where Spark runs.

    Attributes:
        threads: How many threads it may use.
        memory_limit: How much memory it may use before it spills to disk, such as `4GB` or `500MiB`.
        partners_at_once: How many partners' recommendations are explained, laid out and written at once; a review of
            more has a file per table and so many partners.
        spark: Where and how Apache Spark runs, for `--engine spark`.
    """

    threads: Annotated[int, Field(ge=1)] = 2
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)? ?[KMGT]i?B$")] = "4GB"
    partners_at_once: Annotated[int, Field(ge=1)] = 50_000
    spark: SparkSettings = SparkSettings()

    @property
    def memory_bytes(self) -> int:
        """The memory limit in bytes; `KB` counts in thousands, `KiB` in 1,024s."""
        number, kind = self.memory_limit.rstrip("iB").rstrip("KMGT "), self.memory_limit.lstrip("0123456789. ")
        step = 1024 if "i" in kind else 1000
        return int(float(number) * step ** ("KMGT".index(kind[0]) + 1))


class MlflowSettings(Settings):
    """Where training runs and models are kept.

    Attributes:
        tracking_uri: An MLflow server or database address; by default a SQLite file in the workspace.
        experiment: The experiment's name; by default the workspace's name.
        model_name: The registered model's name; by default derived from the workspace's name.
    """

    tracking_uri: str | None = None
    experiment: str | None = None
    model_name: str | None = None


class WorkspaceSettings(Settings):
    """The whole of `tierwise.yaml`.

    Attributes:
        tierwise: The version of the file format.
        name: The workspace's name.
        data_folder: The folder of the source files, relative to the workspace; looked for under `--data` or
            `TIERWISE_DATA` when either is given.
        extracted_on: The day on which the sources were extracted; later event dates are faults. The day of the run
            by default.
        earliest_date: Earlier dates are faults; 1900-01-01 at the earliest.
        calendar: The fiscal calendar and the reviews.
        currency: The program currency and its rates.
        tables: The tables, by name.
        lookups: Reference tables, by name.
        segments: Which attributes hold the standard segments.
        potential: What potential means.
        archetypes: What partners are compared by to find archetypes.
        tolerance: How much may be quarantined before `score` refuses.
        output: Where and how the output tables are written.
        engine: Limits of the embedded engine, and where Spark runs.
        mlflow: Where training runs and models are kept.
        seed: The start of every random draw; the same seed gives the same result.
    """

    tierwise: Literal[1]
    name: Annotated[str, Field(min_length=1, max_length=80)]
    data_folder: str = "data"
    extracted_on: date | None = None
    earliest_date: Annotated[date, Field(ge=date(1900, 1, 1))] = date(1980, 1, 1)
    calendar: Calendar = Calendar()
    currency: CurrencySettings = CurrencySettings()
    tables: dict[Name, TableSettings]
    lookups: dict[Name, Lookup] = Field(default_factory=dict)
    segments: Segments = Segments()
    potential: PotentialSettings
    archetypes: ArchetypeSettings = ArchetypeSettings()
    tolerance: Tolerance = Tolerance()
    output: OutputSettings = OutputSettings()
    engine: EngineSettings = EngineSettings()
    mlflow: MlflowSettings = MlflowSettings()
    seed: Annotated[int, Field(ge=0)] = 20261001

    @model_validator(mode="after")
    def _dates_are_ordered(self) -> Self:
        if self.extracted_on is not None and self.extracted_on < self.earliest_date:
            raise ValueError(f"'extracted_on' is {self.extracted_on}, before 'earliest_date' {self.earliest_date}")
        return self
