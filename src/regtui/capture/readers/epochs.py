"""Tables that a trainer writes while it trains, told up to the step of a checkpoint.

Where a line can't be read, what stands before it still counts.
"""

from regtui.capture.findings import Findings
from regtui.capture.readers.json_values import objects
from regtui.capture.readers.points import Points
from regtui.capture.readers.tables import Columns, collect, csv_rows
from regtui.capture.run_files import RunFiles
from regtui.formats.cursor import Malformed


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
        OSError: It can't be opened.
    """
    points = Points()
    collect_table(files, path, points, columns, prefix)
    return points.findings(until)


def collect_table(
    files: RunFiles, path: str, points: Points, columns: Columns, prefix: str = ""
) -> str | None:
    """Add the curves of a table; return the name of the column that counts the steps.

    Raises:
        OSError: It can't be opened.
    """
    with files.open(path) as source:
        try:
            if path.endswith(".jsonl"):
                return collect(objects(source), points, columns, prefix)
            rows = csv_rows(source, "\t" if path.endswith(".tsv") else ",")
            return collect(rows, points, columns, prefix)
        except Malformed as error:
            points.problems.append(f"{path}: {error}")
            return None
