"""Copy the pictures that the documentation shows from those that the tests of the app compare."""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SNAPSHOTS = ROOT / "tests" / "tui" / "__snapshots__" / "test_pictures"
PICTURES = {
    "activity": "activity",
    "card": "card",
    "compare": "compare",
    "conflicts": "conflicts",
    "deployments": "deployments",
    "detail": "metrics",
    "edit": "edit",
    "file": "file",
    "lineage": "lineage",
    "models": "models",
    "reviews": "reviews",
    "settings": "settings",
    "watch": "watch",
}
"""The screen that each of `docs/pictures/*.svg` shows."""


def pairs() -> dict[Path, Path]:
    """Return the picture of the tests by the picture of the documentation."""
    return {
        ROOT / "docs" / "pictures" / f"{name}.svg": (
            SNAPSHOTS / f"test_picture[{screen}-160x48-regtui-dark].svg"
        )
        for name, screen in PICTURES.items()
    }


if __name__ == "__main__":
    for picture, snapshot in pairs().items():
        shutil.copyfile(snapshot, picture)
    sys.stdout.write(f"copied {len(PICTURES)} pictures\n")
