"""Each defence of the protocol is needed: without it a case fails, or the simulation.

`tests/sync/mutants.py` has the mutants. Each is caught by a case of its own, which passes with the
real code, and some by seeds of the simulation as well.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from regtui.core.errors import RegtuiError
from tests.sync import test_cases as cases
from tests.sync.mutants import MUTANTS, UNCHECKED
from tests.sync.simulation import run
from tests.sync.world import Person, World

Case = Callable[..., None]

CAUGHT: dict[str, Case] = {
    "latepage": cases.test_duplicate_reordered_and_late_delivery,
    "nofork": cases.test_replica_restored_from_backup,
    "dropack": cases.test_an_acknowledged_edit_shows_until_its_page_has_come,
    "pendsaw": cases.test_an_edit_on_an_own_one_that_waits_takes_its_place_in_a_conflict,
    "nopurge": cases.test_acl_changes,
    "nosums": cases.test_a_stream_that_differs_is_read_anew,
    "nofill": cases.test_acl_changes,
    "wholelog": cases.test_bootstrap_costs_what_there_is_and_not_what_happened,
    "noidem": cases.test_duplicate_reordered_and_late_delivery,
    "ignoredup": cases.test_replica_restored_from_backup,
    "noanchor": cases.test_what_was_acknowledged_in_the_middle_of_a_walk_proves_history_too,
    "nolink": cases.test_an_older_file_under_the_server_is_noticed_by_whoever_is_ahead,
    "noepochlist": cases.test_an_epoch_that_the_server_does_not_know_shows_that_it_was_rolled_back,
    "noreceipt": cases.test_what_was_accepted_is_not_judged_again_by_what_its_author_may_do_now,
    "nopark": cases.test_server_restored,
    "nocert": cases.test_numbers_come_back_with_whoever_knows_them,
    "nosignature": cases.test_forged_operations_are_refused,
    "noclamp": cases.test_a_clock_ahead_wins_ties_for_five_minutes_at_most,
    "poisoned": cases.test_poisoned_operation,
}

QUICK = {"latepage", "nofork", "nopurge", "nofill", "nolink", "nosignature"}
"""Those that the fast suite tries."""

NOTICED = (AssertionError, RegtuiError, sa.exc.IntegrityError, ZeroDivisionError)

SEEDS = {"early": 4, "nolink": 4, "dropack": 0, "noidem": 0, "unchecked version.edit": 54}
"""A seed of the simulation at which a mutant fails, or did before the code changed around it."""

TRIED = 12
"""Seeds that are tried besides; `python -m tests.sync.mutants` finds others to record."""


def slow(name: str) -> Any:
    return name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)


@pytest.mark.parametrize("name", [slow(name) for name in CAUGHT])
def test_a_case_notices_that_a_defence_is_missing(
    name: str, request: pytest.FixtureRequest
) -> None:
    case = CAUGHT[name]
    given = {one: request.getfixturevalue(one) for one in inspect.signature(case).parameters}
    with MUTANTS[name](), pytest.raises((*NOTICED, pytest.fail.Exception)):
        case(**given)


@pytest.mark.slow
@pytest.mark.parametrize("kind", UNCHECKED)
def test_a_kind_of_operation_that_is_not_checked_is_noticed(
    world: World, ann: Person, ben: Person, kind: str
) -> None:
    with MUTANTS[f"unchecked {kind}"](), pytest.raises(AssertionError):
        cases.check_needs_role(world, ann, ben, kind)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", list(SEEDS))
def test_the_simulation_notices_that_a_defence_is_missing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in dict.fromkeys((SEEDS[name], *range(TRIED))):
        folder = tmp_path / str(seed)
        folder.mkdir()
        monkeypatch.setenv("REGTUI_CONFIG", str(folder / "config"))
        try:
            with MUTANTS[name]():
                run(folder, seed, say=lambda _: None)
        except NOTICED:
            return
    pytest.fail(f"no seed notices that {name} is missing")
