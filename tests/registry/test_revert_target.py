"""Where an alias would move back to, told before it is done."""

import pytest

from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry


def test_it_is_the_version_before_and_then_the_one_before_that(ranker: Registry) -> None:
    assert ranker.before("ranker@champion") is None
    ranker.set_alias("ranker@2", "champion")
    found = ranker.before("ranker@champion")
    assert found == ranker.version("ranker@1")
    assert ranker.revert("ranker@champion").version.reference == "ranker@1"
    assert ranker.before("ranker@champion") is None


def test_a_version_that_is_archived_by_now_is_told_as_such(ranker: Registry) -> None:
    ranker.set_alias("ranker@2", "champion")
    ranker.change_state("version", "ranker@1", "archive")
    found = ranker.before("ranker@champion")
    assert found is not None
    assert found.state == "archived"


def test_what_is_no_alias_goes_nowhere(ranker: Registry) -> None:
    for reference in ("ranker@nobody", "nobody@champion"):
        with pytest.raises(NotFound):
            ranker.before(reference)
    with pytest.raises(BadInput):
        ranker.before("ranker")
