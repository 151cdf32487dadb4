"""The ledger holds after everything that people do, and the check would notice if it did not."""

import contextlib
import random
from pathlib import Path

import msgspec
import pytest

from regtui.core.errors import RegtuiError
from regtui.registry import Registry
from regtui.replica.database import connected
from tests.replica.ledger import check_replica


@pytest.fixture
def busy(registry: Registry, tmp_path: Path) -> Registry:
    """Return a registry after thirty random acts, of which some were refused."""
    chance = random.Random(11)
    for _ in range(30):
        with contextlib.suppress(RegtuiError):
            act(registry, tmp_path, chance)
    return registry


def act(registry: Registry, folder: Path, chance: random.Random) -> None:
    model, number = chance.choice(["a", "b/c"]), chance.randint(1, 3)
    reference = f"{model}@{number}"
    verb = chance.choice(["archive", "delete", "restore"])
    match chance.randint(0, 9):
        case 0 | 1:
            (folder / "m").write_text(str(chance.randint(0, 4)), encoding="utf-8")
            alias = chance.choice([None, "x"])
            registry.capture(folder / "m", model=model, metrics={"f1": 0.5}, alias=alias)
        case 2:
            registry.edit(reference, {"tags/t": str(chance.random()), "params/p": number})
        case 3:
            registry.edit(model, {"card": f"# {chance.random()}", "owners/ann": True})
        case 4:
            registry.change_state("version", reference, verb)
        case 5:
            registry.set_alias(reference, chance.choice(["x", "y"]))
        case 6:
            registry.undo()
        case 7:
            registry.redo()
        case 8:
            registry.revert(f"{model}@x")
        case _:
            registry.change_state("model", model, verb)


TAMPERING = (
    "update base.operation set bytes = replace(bytes, '\"api\"', '\"cli\"') where seq = 2",
    "update base.operation set verdict = replace(verdict, 'now\":1', 'now\":2') where seq = 1",
    "delete from base.operation where seq = 3",
    "update base.operation set link = unhex(repeat('00', 32)) where seq = 1",
    "update base.replica set tip = repeat('1', 32)",
    "update base.signature set n = n + 1 where seq = (select max(seq) from base.signature)",
    "update base.enrolment set public_key = unhex(repeat('00', 32))",
    "delete from base.signature where seq = (select max(seq) from base.signature)",
    "insert into base.undo select seq, id, id from base.operation where seq = 1",
    "update base.stream set count = count + 1",
    "update base.document set body = replace(body, '0.5', '0.6')",
    "delete from base.tag",
    "update base.version set size = size + 1",
    "delete from base.file",
    "insert into base.metric values (1, 'x', 1.0, null)",
)


def test_everything_holds_after_all_kinds_of_acts_and_tampering_is_noticed(busy: Registry) -> None:
    check_replica(busy.home)
    database = busy.context.replica.home.database
    whole = database.read_bytes()
    for tampering in TAMPERING:
        with connected(database, read_only=False) as connection:
            connection.execute(tampering)
        with pytest.raises((AssertionError, KeyError, RegtuiError, msgspec.ValidationError)):
            check_replica(busy.home)
        database.write_bytes(whole)
    check_replica(busy.home)
