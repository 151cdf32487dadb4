"""Pickles, and joblib's files, which are pickles with arrays between their opcodes.

Either may be compressed as a whole (zlib, gzip, bzip2, xz, lzma). Nothing is unpickled: see
`pickle_machine.py` for how, `allowed.py` for the verdict, `joblib_arrays.py` for the arrays.
"""

from regtui.formats.compressed import CompressedStream, kind_of
from regtui.formats.pickle_runs import Run, is_pickle, run_all, starts_pickle
from regtui.formats.pickled_contents import Contents
from regtui.formats.reading import Reading
from regtui.formats.streams import SourceStream, Unreadable
from regtui.formats.values import LIMITS, Facts, Limits, Source


def matches(head: bytes, source: Source) -> bool:
    """Tell whether it is a pickle or a compressed one."""
    if starts_pickle(head):
        return True
    kind = kind_of(head)
    if kind == "lz4":
        return True  # joblib's is the only one that is known to be a model
    try:
        stream = CompressedStream(source, LIMITS) if kind else SourceStream(source)
    except Unreadable:
        return False
    return is_pickle(stream, LIMITS)


def read(source: Source, limits: Limits = LIMITS) -> Facts:
    """Read a pickle or joblib file, compressed or not.

    Raises:
        OSError: The file could not be read.
    """
    reading = Reading(limits, "tensors-only")
    kind = kind_of(source.read(0, 8))
    try:
        stream = CompressedStream(source, limits) if kind else SourceStream(source)
        run = run_all(stream, reading, None if kind else source)
    except Unreadable as error:
        reading.fail(error)
        run = Run((), arrays=False)
    contents = Contents(reading)
    for place, value in enumerate(run.values):
        contents.walk(value, str(place) if len(run.values) > 1 else "")
    if kind:
        contents.metadata.setdefault("compression", kind)
    form = "joblib" if run.arrays or kind else "pickle"
    return reading.facts(form, contents.in_file_order(), contents.metadata)
