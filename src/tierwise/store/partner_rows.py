"""Reading one partner's rows of a review without reading everybody's."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from tierwise.errors import Fault, OutsideFailure
from tierwise.store.results import read_review
from tierwise.store.writer_disk import folder_in_place
from tierwise.tables.output_schemas import output_table


def read_partner(output: Path, as_of: date, name: str, partner_id: str) -> pd.DataFrame:
    """Read the rows of one partner from an output table.

    Args:
        output: The output folder.
        as_of: The review's as-of date.
        name: The table's name.
        partner_id: The partner.

    Returns:
        Its rows, sorted by the table's key; no row where the table has none or is not there.

    Raises:
        InvalidInput: If there is no review of that date.
        OutsideFailure: If the file is damaged.
    """
    columns = list(output_table(name).columns)
    if name not in read_review(output, as_of).rows:
        return pd.DataFrame(columns=columns)
    path = folder_in_place(output, as_of) / f"{name}.parquet"
    try:
        table = pyarrow.parquet.read_table(path, filters=[("partner_id", "=", partner_id)])
    except (OSError, pa.ArrowException) as error:
        todo = f"write it again: tierwise score --as-of {as_of}"
        raise OutsideFailure(Fault(f"{path.name} is damaged: {error}", where=str(path.parent), todo=todo)) from error
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame
