"""Where recommendations go besides the output folder (`exports.yaml`): files for a CRM, rows of a database table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tierwise.config.base import Settings
from tierwise.config.catalog import Name
from tierwise.config.validation import check_settings
from tierwise.config.yaml_reader import Document, read_yaml

EXPORTS_FILE = "exports.yaml"

Text = Annotated[str, Field(min_length=1, max_length=255)]
ExportKind = Literal["salesforce", "odoo", "hubspot", "sql"]


class Export(Settings):
    """One way out.

    Attributes:
        kind: What reads it: Salesforce's Bulk API 2.0, Odoo's or HubSpot's import, or a table of a database.
        object: The CRM's object (`Account`, `res.partner`, `companies`), or the database table, perhaps with schema.
        key: The field that identifies a partner there and receives the partner's id: an external id in Salesforce, `id`
            in Odoo, a unique property in HubSpot, the unique column of a table.
        key_form: How the key is made of the partner's id, which stands for `{partner_id}`; in Odoo for example
            `__import__.partner_{partner_id}`.
        fields: What is written: field of the other system → column of `recommendations`, a metric, or `reason_1` to
            `reason_4` and `partner_reason_1` to `partner_reason_4` (the sentences for managers and for partners).
        only: All partners, or those whose tier moves or is placed.
        address: For `sql`, the database: a PostgreSQL address, normally `${NAME}` of an environment variable, or
            `sqlite:` and a file, relative to the workspace.
        most_megabytes: For files, the most that one file holds; a longer export is cut into several.
        most_rows: For files, the most rows that one file holds.
    """

    kind: ExportKind
    object: Text
    key: Text
    key_form: Annotated[str, Field(pattern=r"\{partner_id\}")] = "{partner_id}"
    fields: Annotated[dict[Text, Name], Field(min_length=1)]
    only: Literal["all", "moves"] = "all"
    address: Text | None = None
    most_megabytes: Annotated[float, Field(gt=0, le=512)] | None = None
    most_rows: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _address_is_of_a_database(self) -> Self:
        if (self.kind == "sql") != (self.address is not None):
            raise ValueError("'address' is needed for 'kind: sql', and belongs to it alone")
        if self.kind == "sql" and (self.most_megabytes or self.most_rows):
            raise ValueError("'most_megabytes' and 'most_rows' are for files; a table has no such limit")
        return self

    @model_validator(mode="after")
    def _key_is_written_once(self) -> Self:
        if self.key in self.fields:
            raise ValueError(f"{self.key!r} is the key and receives the partner's id; leave it out of 'fields'")
        return self


class Exports(Settings):
    """The whole of `exports.yaml`.

    Attributes:
        exports: The ways out, by name.
    """

    exports: Annotated[dict[Name, Export], Field(min_length=1)]


def load_exports(folder: Path) -> tuple[Document, Exports]:
    """Read the exports of a workspace.

    Returns:
        The file as read, for the lines of later faults, and its settings.

    Raises:
        InvalidInput: If there is no such file, or with every fault of it.
    """
    document = read_yaml(folder / EXPORTS_FILE)
    return document, check_settings(Exports, document)
