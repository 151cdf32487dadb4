"""Parts of ids by which people call a thing."""

from typing import NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.errors import BadInput, NotFound
from regtui.registry.identified import identified


class Thing(NamedTuple):
    id: str


THINGS = st.lists(st.uuids(), min_size=1, max_size=5, unique=True).map(
    lambda ids: [Thing(str(one)) for one in ids]
)


@given(THINGS, st.data())
def test_whole_ids_with_or_without_dashes_are_understood(
    things: list[Thing], data: st.DataObject
) -> None:
    meant = data.draw(st.sampled_from(things))
    assert identified(things, meant.id, "token") is meant
    assert identified(things, meant.id.replace("-", "").upper(), "token") is meant


@given(THINGS, st.data())
def test_a_part_means_the_one_that_has_it_or_nothing(
    things: list[Thing], data: st.DataObject
) -> None:
    part = data.draw(st.text("0123456789abcdef", min_size=1, max_size=6))
    bare = {one.id: one.id.replace("-", "") for one in things}
    begin = [one for one in things if bare[one.id].startswith(part)]
    end = [one for one in things if bare[one.id].endswith(part)]
    wanted = begin or end
    if len(wanted) == 1:
        assert identified(things, part, "token") is wanted[0]
    else:
        with pytest.raises(BadInput if wanted else NotFound):
            identified(things, part, "token")


@pytest.mark.parametrize("part", ["", "-", "x", "zz", "\0"])
def test_what_is_no_part_of_any_id_means_nothing(part: str) -> None:
    with pytest.raises(NotFound, match="regtui replica ls"):
        identified([Thing(str(UUID(int=0)))], part, "replica")
