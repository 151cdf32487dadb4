"""Tables that a trainer writes a row an epoch into, told up to the epoch of a checkpoint."""

from regtui.capture.findings import Findings, last_values
from regtui.capture.readers.json_values import objects
from regtui.capture.readers.points import Points
from regtui.capture.readers.tables import Columns, collect, csv_rows
from regtui.capture.run_files import RunFiles


def read_table(
    files: RunFiles, path: str, columns: Columns, until: int | None, *, prefix: str = ""
) -> Findings:
    """Return the curves of a table up to a step, and their last values.

    Args:
        files: The files of the unit.
        path: Of a CSV file, one with tabs (`.tsv`) or JSON lines (`.jsonl`).
        columns: What its columns mean.
        until: The last step; None for all.
        prefix: Stands before the name of each curve.

    Raises:
        Malformed: It can't be read.
        OSError: It can't be opened.
    """
    points = Points()
    with files.open(path) as source:
        if path.endswith(".jsonl"):
            collect(objects(source), points, columns, prefix)
        else:
            rows = csv_rows(source, "\t" if path.endswith(".tsv") else ",")
            collect(rows, points, columns, prefix)
    series = points.curves(until)
    return Findings(series=series, metrics=last_values(series))
