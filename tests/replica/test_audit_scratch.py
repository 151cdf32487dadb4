"""What an audit puts beside each other may be more than fits the memory."""

from pathlib import Path

import pytest

from regtui.artifacts.leases import oldest_lease
from regtui.core.errors import RegtuiError
from regtui.registry import Registry
from regtui.replica.audit import scratch

PAGES, PAGE = 50, 5_000


def fill(folder: Path) -> list[tuple[str, str]]:
    """Vouch for many documents that all stand but one, and return the differences."""
    with scratch(folder) as kept:
        for page in range(PAGES):
            for number in range(page * PAGE, (page + 1) * PAGE):
                identity, digest = f"{number:032x}", f"{number:064x}"
                kept.vouch(number, {identity: digest})
                kept.stand(number, identity, digest if number != PAGE else "another")
            kept.flush()
        assert any(folder.iterdir())
        return list(kept.differences([]))


def test_what_does_not_fit_the_memory_goes_into_its_folder_meanwhile(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    differing = f"00000000-0000-0000-0000-{PAGE:012x}"
    assert fill(folder) == [(differing, "it is not what its operations made")]
    assert not folder.exists() or not any(folder.iterdir())


def test_a_folder_that_can_not_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_MEMORY", "24MB")
    (tmp_path / "file").touch()
    with pytest.raises(RegtuiError, match=str(tmp_path / "file" / "audit")):
        fill(tmp_path / "file" / "audit")


def test_an_audit_holds_a_session_whose_folder_goes_with_it(registry: Registry) -> None:
    registry.create_model("a")
    held: list[int | None] = []
    registry.verify_history(on_progress=lambda _: held.append(oldest_lease(registry.home)))
    assert held
    assert None not in held
    assert [path.name for path in (registry.home / "tmp").iterdir()] == ["lock"]
