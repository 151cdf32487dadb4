"""Print the classes of the installed libraries that `known_names.py` does not hold.

    python tests/formats/recorded/make_names.py

They are for a person to read: nothing that opens files or connections, starts programs, evaluates
text or looks names up may be added.
"""

import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Iterator

from regtui.formats.allowed import judge

LIBRARIES = ("sklearn", "torch.nn.modules", "torch.optim", "catboost.metrics")
PASSED_OVER = (".tests", ".datasets", ".externals", ".conftest", ".utils", ".inspection", "._build")


def modules(library: str) -> Iterator[str]:
    root = importlib.import_module(library)
    yield library
    for module in pkgutil.walk_packages(getattr(root, "__path__", ()), f"{library}."):
        if not any(part in module.name for part in PASSED_OVER):
            yield module.name


def main() -> None:
    """Print `module name` for each class that is not allowed."""
    warnings.simplefilter("ignore")
    for library in LIBRARIES:
        for name in modules(library):
            try:
                module = importlib.import_module(name)
            except ImportError:
                continue
            for attribute, value in sorted(vars(module).items()):
                own = inspect.isclass(value) and value.__module__ == name
                if own and judge(name, attribute) == "dangerous":
                    print(name, attribute)


if __name__ == "__main__":
    main()
