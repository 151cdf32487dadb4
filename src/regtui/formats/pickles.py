"""Pickles, and joblib's files, which are pickles with arrays between their opcodes.

Either may be compressed as a whole (zlib, gzip, bzip2, xz, lzma). Nothing is unpickled: see
`pickle_machine.py` for how, `allowed.py` for the verdict, `joblib_arrays.py` for the arrays.
"""

from regtui.formats.compressed import CompressedStream, kind_of
from regtui.formats.pickle_machine import is_opcode
from regtui.formats.pickle_runs import Likeness, Run, likeness, run_all
from regtui.formats.pickled_contents import Contents
from regtui.formats.reading import Reading
from regtui.formats.streams import SourceStream, Unreadable
from regtui.formats.values import LIMITS, Facts, Limits, Source


def matches(head: bytes, source: Source) -> bool:
    """Tell whether it is a pickle or a compressed one."""
    return like_pickle(head, source) == "pickle"


def like_pickle(head: bytes, source: Source, limits: Limits = LIMITS) -> Likeness:
    """Tell how much a file is like a pickle or a compressed one."""
    kind = kind_of(head)
    if kind == "lz4":
        return "pickle"  # joblib's is the only one that is known to be a model
    reading = Reading(limits)
    try:
        stream = CompressedStream(source, reading) if kind else SourceStream(source)
    except Unreadable:
        return "none"
    return likeness(stream, reading)


def read(source: Source, limits: Limits = LIMITS) -> Facts:
    """Read a pickle or joblib file, compressed or not.

    Raises:
        OSError: The file could not be read.
    """
    reading = Reading(limits, "tensors-only")
    head = source.read(0, 8)
    kind = kind_of(head)
    try:
        stream = CompressedStream(source, reading) if kind else SourceStream(source)
        run = run_all(stream, reading, None if kind else source)
    except Unreadable as error:
        reading.fail(error)
        run = Run((), arrays=False)
    if kind and is_opcode(head[0]):
        _read_as_it_is(source, reading)
    contents = Contents(reading)
    for place, value in enumerate(run.values):
        contents.walk(value, str(place) if len(run.values) > 1 else "")
    if kind:
        contents.metadata.setdefault("compression", kind)
    form = "joblib" if run.arrays or kind else "pickle"
    return reading.facts(form, contents.in_file_order(), contents.metadata)


def _read_as_it_is(source: Source, reading: Reading) -> None:
    """Look at a compressed file as a plain loader would, which takes its start for an opcode."""
    plain = Reading(reading.limits)
    run_all(SourceStream(source), plain, source)
    if plain.safety == "dangerous":
        reading.worsen("dangerous")
        reading.names |= plain.names
