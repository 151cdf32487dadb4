"""scikit-learn and what follows its habits: the class of an estimator and its parameters.

The files hold no figures: those come from a sidecar or the nearest table.
"""

from regtui.capture.findings import Findings
from regtui.capture.readers.model_facts import understood
from regtui.capture.readers.reading import ask_each
from regtui.capture.run_files import RunFiles

_MODELS = (".joblib", ".pkl", ".pickle", ".skops", ".sav", ".p")
_PARAMS = "params."


def read(files: RunFiles) -> Findings:
    """Return class, parameters and version of the library, of the unit's own files."""
    return ask_each(files, [one for one in files.own if one.endswith(_MODELS)], _read_model)


def _read_model(files: RunFiles, path: str) -> Findings:
    found = understood(files, path).metadata
    named = {key: name for key in found if (name := _name_of(key)) is not None}
    return Findings(
        params={name: found[key] for key, name in named.items() if found[key] is not None}
    )


def _name_of(key: str) -> str | None:
    """Return the name under which an entry is told, None where it is none of a person's choice."""
    if key == "_sklearn_version":
        return "sklearn_version"
    if key.startswith(_PARAMS) or f".{_PARAMS}" in key:
        return key.replace(_PARAMS, "")
    return key if key == "class" or key.endswith(".class") else None
