"""The doctor of a replica: what only the server vouches for is no damage."""

from unittest.mock import patch

from sync_server.healing import close
from tests.sync.test_cases import back_up, capture, changing, put_back, sync_all
from tests.sync.world import Person, World, signed_in


def test_a_number_that_was_given_late_is_no_damage(world: World, ann: Person, ben: Person) -> None:
    capture(ann, "one")
    sync_all(ann, ben)
    put_back(world, back_up(world), told=True)
    capture(ben, "two")
    sync_all(ann, ben)
    with changing(world) as authority:
        assert close(authority) == 1
    sync_all(ann, ben)
    assert ann.registry.version("bert@2").number == 2
    for person in (ann, ben):
        assert person.registry.doctor().healthy


def test_a_history_of_which_only_the_newest_part_came_is_no_damage(
    world: World, ann: Person
) -> None:
    for content in ("one", "two", "three"):
        capture(ann, content)
    ann.sync()
    with patch("sync_server.pull.LOG_LIMIT", 1):
        cem = signed_in(world, "ann", "elsewhere")
        cem.sync()
    assert cem.table("select count(*) from base.operation") < [(4,)]
    assert cem.registry.doctor().healthy


def test_a_document_that_was_changed_by_hand_is_damage(world: World, ann: Person) -> None:
    version = capture(ann, "one")
    ann.sync()
    with ann.replica.changing() as connection:
        connection.execute(
            "update base.document set body = replace(body, '\"number\":1', '\"number\":7') "
            "where id = ?",
            [version],
        )
    assert not ann.registry.doctor().healthy
