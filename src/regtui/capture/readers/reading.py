"""Reading one file after another, so that a bad one costs no more than a sentence."""

from collections.abc import Callable, Iterable

from regtui.capture.findings import Findings, merged
from regtui.capture.run_files import RunFiles
from regtui.formats.cursor import Malformed

ReadFile = Callable[[RunFiles, str], Findings]
"""Reads one file, by its path; may raise `Malformed` and `OSError`."""


def ask(files: RunFiles, path: str | None, read: ReadFile) -> Findings:
    """Return what a file says, or the problem that it has; nothing of no file."""
    if path is None:
        return Findings()
    try:
        return read(files, path)
    except OSError as error:
        return problem(path, error.strerror or type(error).__name__)
    except Malformed as error:
        return problem(path, str(error))


def ask_each(files: RunFiles, paths: Iterable[str], read: ReadFile) -> Findings:
    """Return what several files say, the first of them counting where they disagree."""
    return merged(ask(files, path, read) for path in paths)


def ask_nearest(files: RunFiles, read: ReadFile, *patterns: str) -> Findings:
    """Return what the nearest file says that matches; see `RunFiles.find`."""
    return ask(files, files.find(*patterns), read)


def problem(path: str, sentence: str) -> Findings:
    """Return a problem with a file and nothing else."""
    return Findings(problems=(f"{path}: {sentence}",))
