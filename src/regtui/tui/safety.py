"""How safe a file is, as a sign, a word and a sentence."""

from regtui.registry.answers import FileAnswer
from regtui.registry.capture_layouts import reason
from regtui.tui.signs import signs

_SENTENCES = {
    "no-code": "its format can't carry code",
    "tensors-only": "a pickle of nothing but tensors and plain containers",
    "needs-classes": "loading it runs code of libraries that are known",
    "unread": "it was not understood to its end, so nothing can be said",
    "": "it is being read",
}


def is_pending(file: FileAnswer) -> bool:
    """Tell whether a file has still to be read."""
    return not file.format


def safety_cell(file: FileAnswer) -> tuple[str, str]:
    """Return sign and word, and the name of the colour to say so in."""
    if is_pending(file):
        return f"{signs().waiting} reading", "dim"
    if file.safety == "dangerous":
        return f"{signs().failed} DANGEROUS", "error"
    if file.safety in {"no-code", "tensors-only"}:
        return f"{signs().passed} {file.safety}", "success"
    return f"{signs().unknown} {file.safety}", "warning"


def safety_sentence(file: FileAnswer) -> str:
    """Return what loading a file could do."""
    if file.safety == "dangerous":
        return reason(file.globals, file.problem)
    return _SENTENCES["" if is_pending(file) else file.safety]


def remark(file: FileAnswer) -> str:
    """Return what has to be said of a file beside its verdict; empty for nothing."""
    if file.safety == "dangerous":
        return reason(file.globals, file.problem)
    if file.problem:
        return file.problem
    return "it ends too early" if file.complete is False else ""
