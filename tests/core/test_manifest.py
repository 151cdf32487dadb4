"""Content digests and the paths behind them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.errors import BadInput
from regtui.core.manifest import FileEntry, check_path, content_digest

entries = st.lists(
    st.builds(
        FileEntry,
        st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
        st.integers(0, 2**40),
        st.booleans(),
        st.sampled_from(["0" * 64, "f" * 64]),
    ),
    max_size=6,
)


@given(entries, st.randoms(use_true_random=False))
def test_a_content_digest_does_not_depend_on_the_order_of_files(
    files: list[FileEntry], random: object
) -> None:
    assert content_digest(reversed(files)) == content_digest(files)
    assert content_digest(iter(sorted(files))) == content_digest(files)


@pytest.mark.parametrize(
    "other",
    [
        FileEntry("b", 1, False, "0" * 64),
        FileEntry("a", 2, False, "0" * 64),
        FileEntry("a", 1, True, "0" * 64),
        FileEntry("a", 1, False, "1" * 64),
    ],
)
def test_everything_about_a_file_counts(other: FileEntry) -> None:
    assert content_digest([other]) != content_digest([FileEntry("a", 1, False, "0" * 64)])


def test_a_content_digest_never_changes() -> None:
    files = [FileEntry("config.json", 2, False, "0" * 64), FileEntry("run.sh", 9, True, "f" * 64)]
    assert (
        content_digest(files) == "e0b32c732bc929ac246b1eea67faf8a91e66c9ced646cfa3659d05fbfa4db271"
    )


@pytest.mark.parametrize(
    "path", ["", "/etc", "a/", "a//b", ".", "..", "a/../b", "../a", "a/./b", "a\0b", "\udc80"]
)
def test_a_path_that_could_leave_its_folder_is_refused(path: str) -> None:
    with pytest.raises(BadInput):
        check_path(path)


@pytest.mark.parametrize(
    "path", [".regtui", ".regtui/registry.duckdb", "a/.regtui/b", "a/.REGTUI", ".reg\u200dtui/b"]
)
def test_a_path_that_could_make_a_registry_is_refused(path: str) -> None:
    with pytest.raises(BadInput, match="would make a registry"):
        check_path(path)


@pytest.mark.parametrize("path", ["x" * 256, "ü" * 128, "a/" + "x" * 300, "a/" * 2048 + "x"])
def test_a_path_that_no_disk_takes_is_refused_in_a_short_line(path: str) -> None:
    with pytest.raises(BadInput, match="too long") as found:
        check_path(path)
    assert len(str(found.value)) < 400


@pytest.mark.parametrize(
    "path",
    [
        *("a", "a/b", "...", "a/..b", ".hidden", "ü/模型", " ", "x" * 255, "a/" * 2047 + "x"),
        *(".regtui2", "regtui", ".regtui.toml", "a.regtui/b"),
    ],
)
def test_a_path_inside_its_folder_is_taken(path: str) -> None:
    check_path(path)
