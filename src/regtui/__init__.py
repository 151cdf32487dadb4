"""regtui: the model registry that lives in a terminal and keeps working offline.

>>> import regtui
>>> registry = regtui.open()
>>> registry.capture("runs/7/model.pt", model="team/ranker", metrics={"ndcg": 0.71})
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from regtui.registry import Registry

__all__ = ["__version__", "open"]

__version__ = "0.1.0"


def open(home: "str | Path | None" = None) -> "Registry":  # noqa: A001 -- reads as regtui.open()
    """Open a registry, made at first use.

    Args:
        home: Its folder; None for that of `REGTUI_HOME`, else the nearest `.regtui/` upwards from
            here, else the user's own.
    """
    import os

    from regtui.registry import open_registry

    return open_registry(home or os.environ.get("REGTUI_HOME") or None)
