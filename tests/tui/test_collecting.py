"""The search for garbage waits while something large is built."""

import gc

import pytest

from regtui.tui import collecting


def test_garbage_is_searched_for_again_after_the_last_of_nested_uses() -> None:
    with collecting.later():
        with collecting.later():
            assert not gc.isenabled()
        assert not gc.isenabled()

    assert gc.isenabled()


def test_it_is_searched_for_again_after_an_error() -> None:
    with pytest.raises(OSError, match="full"), collecting.later():
        raise OSError("full")

    assert gc.isenabled()
