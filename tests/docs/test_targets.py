"""Every test belongs to a target: `pytest` alone, or `just test-rest`."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_folder_of_tests_is_left_out() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    alone = settings["tool"]["pytest"]["ini_options"]["testpaths"]
    recipes = (ROOT / "justfile").read_text(encoding="utf-8")
    (rest,) = re.findall(r'^test-rest \*args="(.*)":$', recipes, re.MULTILINE)
    assert f"-m pytest {rest}\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    folders = {
        f"tests/{file.relative_to(ROOT / 'tests').parts[0]}"
        for file in (ROOT / "tests").rglob("test_*.py")
    }

    assert [one for one in alone if not (ROOT / one).exists()] == []
    assert [one for one in sorted(folders) if one not in {*alone, *rest.split()}] == []
