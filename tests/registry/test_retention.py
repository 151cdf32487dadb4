"""Retention: what a rule does not keep is archived, its files go, its record stays."""

import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import regtui
from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry, gc
from regtui.registry.capture import CaptureRequest
from regtui.registry.capture import capture as register
from regtui.registry.gc import Amount
from regtui.registry.retention import Retained
from tests.registry.keeping import DAY, age, later, objects
from tests.replica.ledger import check_replica

COUNT = 5


def add(registry: Registry, folder: Path, text: str, model: str = "a", **known: Any) -> str:
    """Capture a file with a text, and return the reference."""
    file = folder / "weights"
    file.write_text(text, encoding="utf-8")
    return registry.capture(file, model=model, **known).version.reference


def numbers(registry: Registry, query: str = "model:a") -> list[int]:
    """Return the numbers of the versions that a query finds, in order."""
    return sorted(one.number or 0 for one in registry.versions(query).versions)


def archived(registry: Registry) -> list[int]:
    return numbers(registry, "model:a state:archived")


def reasons(found: Retained) -> dict[int | None, str]:
    """Return why each version of the only model stays; of those that go, nothing."""
    [model] = found.models
    return {one.number: one.reason for one in model.versions if one.stays}


@pytest.fixture
def five(five_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return a registry with `a@1` to `a@5`; f1 is 0.3, 0.5, 0.1, 0.4, 0.2, files are old."""
    return copy(five_home, tmp_path, monkeypatch)


@pytest.fixture
def released(released_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return the same where the files of `a@1` to `a@4` were released and collected."""
    return copy(released_home, tmp_path, monkeypatch)


def copy(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return a copy of a registry, with a key of its own; its files are as old."""
    monkeypatch.setenv("REGTUI_CONFIG", str(folder / "config"))
    return regtui.open(shutil.copytree(home, folder / "home"))


@pytest.fixture(scope="session")
def five_home(empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("five")
    with pytest.MonkeyPatch.context() as patch:
        registry = copy(empty_home, folder, patch)
        for place, figure in enumerate((0.3, 0.5, 0.1, 0.4, 0.2), start=1):
            known = {"f1": figure}
            text = f"{place}" * 10
            add(registry, folder, text, metrics=known, params={"step": place * 5})
        registry.edit("a", {"primary_metric": "f1"})
        age(registry.home, 30 * DAY)
    return registry.home


@pytest.fixture(scope="session")
def released_home(five_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("released")
    with pytest.MonkeyPatch.context() as patch:
        registry = copy(five_home, folder, patch)
        registry.put_retention("a", "last 1")
        registry.retain()
        assert later(registry, 15 * DAY).gc().removed.archived == Amount(4, 40)
    return registry.home


@pytest.mark.parametrize(
    ("keep", "stay"),
    [
        ("all", [1, 2, 3, 4, 5]),
        ("last 2", [4, 5]),
        ("best 2", [2, 4]),
        ("best 1, last 1", [2, 5]),
        ("every 10 steps", [2, 4]),
        ("every 25", [5]),
    ],
)
def test_what_a_rule_keeps_stays_and_the_rest_is_archived(
    five: Registry, keep: str, stay: list[int]
) -> None:
    five.put_retention("a", keep)

    [model] = five.retain().models

    assert numbers(five) == stay
    assert (model.stay, model.go) == (len(stay), COUNT - len(stay))
    assert model.bytes == 10 * (COUNT - len(stay))
    check_replica(five.home)


def test_best_is_what_the_model_says_is_better(five: Registry) -> None:
    five.edit("a", {"direction": "min"})
    five.put_retention("a", "best 1")

    five.retain()

    assert numbers(five) == [3]
    assert five.version("a@best").number == 3


def test_what_has_no_metric_is_not_known_to_be_worse(five: Registry, tmp_path: Path) -> None:
    add(five, tmp_path, "no metric")
    five.put_retention("a", "best 1")
    assert reasons(five.retain(dry_run=True)) == {2: "best 1", 6: "best 1"}

    five.edit("a", {"primary_metric": None})
    assert set(reasons(five.retain(dry_run=True)).values()) == {
        "best 1: the model has no primary metric"
    }


def test_final_keeps_the_last_version_of_each_run(registry: Registry, tmp_path: Path) -> None:
    for run, text in (("x", "1"), ("x", "2"), ("y", "3"), ("x", "4"), (None, "5")):
        (tmp_path / "f").write_text(text, encoding="utf-8")
        register(registry.context, tmp_path / "f", CaptureRequest(model="a", run=run))
    registry.put_retention("a", "final")

    registry.retain()

    assert numbers(registry) == [3, 4, 5]


def test_the_narrowest_rule_of_a_model_wins(registry: Registry, tmp_path: Path) -> None:
    for model in ("team/a", "team/b", "other"):
        for text in "123":
            add(registry, tmp_path, text + model, model)
    registry.put_retention("*", "last 1")
    registry.put_retention("Team/*", "last 2")
    registry.put_retention("team/b", "all")

    rules = {one.model: (one.rule.model, one.stay) for one in registry.retain().models}

    assert rules == {"other": ("*", 1), "team/a": ("team/*", 2), "team/b": ("team/b", 3)}


def test_young_versions_stay(five: Registry) -> None:
    five.put_retention("a", "last 1", after="30d")
    told = reasons(five.retain(dry_run=True))
    assert told == {**dict.fromkeys(range(1, 5), "younger than 30d"), 5: "last 1"}

    assert later(five, 31 * DAY).retain().models[0].go == 4


def test_a_version_that_was_restored_is_young_again(five: Registry) -> None:
    five.change_state("version", "a@1", "archive")
    later(five, 40 * DAY).change_state("version", "a@1", "restore")
    five.put_retention("a", "last 1", after="30d")

    later(five, 41 * DAY).retain()

    assert numbers(five) == [1, 5]


def test_what_is_deployed_or_asked_for_stays(five: Registry) -> None:
    five.put_environment("prod", {})
    for number in (1, 2, 3):
        five.deploy(f"a@{number}", "prod")
    five.request_promotion("a@4", "champion", auto=False)
    five.put_retention("a", "last 1")
    found = five.retain(dry_run=True)
    five.retain()
    assert numbers(five) == [2, 3, 4, 5]
    assert reasons(found) == {
        2: "going back in prod leads to it",
        3: "it is deployed in prod",
        4: "a promotion request asks for it",
        5: "last 1",
    }


def test_a_version_with_an_alias_stays(five: Registry) -> None:
    five.set_alias("a@3", "prod")
    five.set_alias("a@3", "best-of-all")
    five.put_retention("a", "last 1")

    assert reasons(five.retain(dry_run=True))[3] == "the alias best-of-all, prod points to it"
    five.retain()
    assert numbers(five) == [3, 5]


def test_the_base_of_a_version_of_another_model_stays(five: Registry, tmp_path: Path) -> None:
    adapter = add(five, tmp_path, "adapter", "adapter", parents=["a@2"])
    add(five, tmp_path, "next", parents=["a@3"])
    five.put_retention("a", "last 1")
    assert reasons(five.retain(dry_run=True))[2] == "adapter@1 was made from it"
    five.retain()
    assert numbers(five) == [2, 6]

    five.change_state("version", adapter, "delete")
    five.retain()
    assert numbers(five) == [6]


def test_the_files_of_a_base_stay_though_it_was_archived_before(
    five: Registry, tmp_path: Path
) -> None:
    five.put_retention("a", "last 1")
    five.retain()
    add(five, tmp_path, "adapter", "adapter", parents=["a@2"])

    assert later(five, 15 * DAY).gc().removed.archived == Amount(3, 30)

    five.checkout("a@2", tmp_path / "out")


def test_a_dry_run_does_nothing(five: Registry) -> None:
    five.put_retention("a", "last 1")
    before = five.log().operations[0].seq

    found = five.retain(dry_run=True)

    assert (found.go, found.bytes) == (4, 40)
    assert numbers(five) == [1, 2, 3, 4, 5]
    assert five.log().operations[0].seq == before


def test_one_undo_takes_all_of_it_back(five: Registry, tmp_path: Path) -> None:
    five.put_retention("a", "last 1")
    five.retain()

    five.undo()

    assert numbers(five) == [1, 2, 3, 4, 5]
    later(five, 15 * DAY).gc()
    five.checkout("a@1", tmp_path / "out")


def test_a_second_run_changes_nothing(five: Registry) -> None:
    five.put_retention("a", "last 1")
    five.retain()
    assert five.retain().go == 0
    assert "archived" in five.undo().undone[0].summary


def test_files_that_others_need_do_not_count_as_free(five: Registry, tmp_path: Path) -> None:
    add(five, tmp_path, "1" * 10, "b")
    five.put_retention("a", "last 1")

    [model] = five.retain().models
    assert (model.files, model.bytes) == (3, 30)

    later(five, 15 * DAY).gc()
    five.checkout("b@1", tmp_path / "out")
    five.checkout("a@1", tmp_path / "same")  # its only file is needed by b


def test_one_model_alone(five: Registry, tmp_path: Path) -> None:
    add(five, tmp_path, "x", "b")
    add(five, tmp_path, "y", "b")
    five.put_retention("*", "last 1")

    assert [one.model for one in five.retain("b").models] == ["b"]
    assert numbers(five) == [1, 2, 3, 4, 5]
    with pytest.raises(NotFound, match="no model 'c'"):
        five.retain("c")
    five.remove_retention("*")
    with pytest.raises(NotFound, match="no retention rule matches 'b'"):
        five.retain("b")
    assert five.retain().models == []


def test_files_go_a_grace_after_their_version_was_archived(five: Registry) -> None:
    five.put_retention("a", "last 1")
    five.retain()
    before = later(five, 13 * DAY).gc()
    assert (before.removed.total, before.kept.archived) == (Amount(), Amount(4, 40))
    after = later(five, 15 * DAY).gc()
    assert (after.removed.archived, after.kept.needed) == (Amount(4, 40), Amount(1, 10))


def test_files_stay_where_no_rule_is_any_more(five: Registry, tmp_path: Path) -> None:
    five.put_retention("a", "last 1")
    five.retain()
    five.remove_retention("a")

    assert later(five, 100 * DAY).gc(grace=0).removed.total == Amount()

    five.checkout("a@1", tmp_path / "out")


def test_a_rule_that_keeps_all_takes_a_model_out_of_a_wider_one(five: Registry) -> None:
    five.change_state("version", "a@1", "archive")
    five.put_retention("*", "last 1")
    five.put_retention("a", "all")
    assert later(five, 100 * DAY).gc(grace=0).removed.total == Amount()


def test_a_rule_that_is_removed_between_judging_and_removing_counts(
    five: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    five.put_retention("a", "last 1")
    five.retain()
    original = gc._Collection._remove

    def remove(self: gc._Collection, *arguments: Any) -> set[str]:
        five.remove_retention("a")
        return original(self, *arguments)

    monkeypatch.setattr(gc._Collection, "_remove", remove)
    assert later(five, 15 * DAY).gc().removed.total == Amount()


def test_released_files_are_no_damage(released: Registry, tmp_path: Path) -> None:
    assert released.verify().damaged == []
    assert released.verify().versions == 1
    assert released.doctor(repair=True, deep=True).healthy
    assert released.doctor().healthy
    backup = released.create_backup(tmp_path / "b.tar")
    assert backup.missing == []
    usage = released.du()
    assert usage.store is not None
    assert usage.store.needed == usage.store.objects == Amount(1, 10)
    check_replica(released.home)


@pytest.mark.parametrize("act", ["rule removed", "restored", "undone", "deleted and restored"])
def test_released_files_are_no_damage_whatever_follows(released: Registry, act: str) -> None:
    if act == "rule removed":
        released.remove_retention("a")
    elif act == "undone":
        released.undo()
    else:
        if act != "restored":
            released.change_state("version", "a@1", "delete")
        released.change_state("version", "a@1", "restore")
    assert released.verify().damaged == []
    assert released.doctor().healthy


def test_a_released_version_says_so_and_how_to_get_it_back(
    released: Registry, tmp_path: Path
) -> None:
    for use in (
        lambda: released.checkout("a@1", tmp_path / "out"),
        lambda: released.path("a@1"),
        lambda: released.verify("a@1"),
        lambda: released.export("a@1", str(tmp_path / "v.tar")),
    ):
        with pytest.raises(NotFound, match="a@1 were released by retention; capture the same"):
            use()
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "v.tar").exists()


def test_capturing_the_same_content_brings_version_and_files_back(
    released: Registry, tmp_path: Path
) -> None:
    assert add(released, tmp_path, "1" * 10) == "a@1"
    assert numbers(released) == [1, 5]
    released.checkout("a@1", tmp_path / "out")

    (lost,) = objects(released.home) - {
        released.path("a@5").parent.name + released.path("a@5").name
    }
    (released.home / "objects" / lost[:2] / lost[2:]).unlink()
    assert [one.problem for one in released.verify().damaged] == ["missing"]


def test_a_restored_record_has_no_files(released: Registry) -> None:
    assert released.has_files("a@5")
    assert not released.has_files("a@1")


def test_loss_of_needed_files_is_still_damage(released: Registry) -> None:
    path = released.path("a@5")
    path.unlink()
    assert [one.problem for one in released.verify().damaged] == ["missing"]
    assert not released.doctor().healthy


def test_a_restored_backup_knows_what_was_released(
    released: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released.create_backup(tmp_path / "b.tar")
    other = regtui.open(tmp_path / "other")

    assert other.restore_backup(tmp_path / "b.tar").missing == []

    assert other.doctor().healthy
    with pytest.raises(NotFound, match="released by retention"):
        other.checkout("a@1", tmp_path / "out")


def test_a_registry_bundle_knows_what_was_released(released: Registry, tmp_path: Path) -> None:
    stream = io.BytesIO()
    assert released.export(None, stream).missing == []
    (tmp_path / "all.tar").write_bytes(stream.getvalue())
    other = regtui.open(tmp_path / "other")

    found = other.import_bundle(tmp_path / "all.tar")

    assert found.missing == []
    assert other.verify().damaged == []
    with pytest.raises(NotFound, match="released by retention"):
        other.checkout("a@1", tmp_path / "out")
    check_replica(other.home)


@pytest.mark.slow
def test_a_merge_knows_what_was_released(released: Registry, tmp_path: Path) -> None:
    released.export(None, str(tmp_path / "one.tar"))
    other = regtui.open(tmp_path / "other")
    other.import_bundle(tmp_path / "one.tar")
    for text in ("new", "newer"):
        add(released, tmp_path, text)
    age(released.home, 30 * DAY)
    released.retain()
    later(released, 15 * DAY).gc()
    released.export(None, str(tmp_path / "two.tar"))

    other.import_bundle(tmp_path / "two.tar")

    assert numbers(other) == numbers(released) == [7]
    assert other.verify().damaged == []
    with pytest.raises(NotFound, match="released by retention"):
        other.checkout("a@6", tmp_path / "out")


def test_a_kill_between_marking_and_removing_loses_nothing(
    five: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    five.put_retention("a", "last 1")
    five.retain()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gc, "remove", die)
    with pytest.raises(KeyboardInterrupt):
        later(five, 15 * DAY).gc()
    monkeypatch.undo()

    five.checkout("a@1", tmp_path / "out")
    assert later(five, 15 * DAY).gc().removed.archived.files == 4
    assert five.verify().damaged == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[retention", "can't be read"),
        ("retention = 3", "can't be read"),
        ('[[retention]]\nmodel = "a"', "missing required field `keep`"),
        ('[[retention]]\nmodel = "a"\nkeep = "most"', "'most' is no rule"),
        ('[[retention]]\nmodel = "a"\nkeep = "all"\nafter = "soon"', "'soon' is no age"),
        ('[[retention]]\nmodel = "a*"\nkeep = "all"', "contains '\\*'"),
        ('[[retention]]\nmodel = "a"\nkeep = "all"\nwhen = "now"', "unknown field `when`"),
    ],
)
def test_malformed_rules_are_refused_and_nothing_is_removed(
    five: Registry, text: str, told: str
) -> None:
    five.change_state("version", "a@1", "archive")
    (five.home / "retention.toml").write_text(text, encoding="utf-8")
    for use in (five.retention_rules, five.retain, later(five, 99 * DAY).gc, five.verify):
        with pytest.raises(BadInput, match=told):
            use()
    assert not five.doctor().healthy
    assert len(objects(five.home)) == COUNT


def test_what_people_wrote_beside_rules_stays(five: Registry) -> None:
    file = five.home / "retention.toml"
    file.write_text(
        '# ours\n[[retention]]\nmodel = "A"  # the first\nkeep = "last 1"\n', encoding="utf-8"
    )
    five.put_retention("*", "best 3")
    five.put_retention("*", "best 2", after="1d")
    text = file.read_text(encoding="utf-8")
    assert "# ours" in text
    assert "# the first" in text
    assert [(one.model, one.keep) for one in five.retention_rules()] == [
        ("a", "last 1"),
        ("*", "best 2"),
    ]


MODELS = ("a", "b")
captures = st.lists(
    st.tuples(
        st.sampled_from(MODELS),
        st.integers(0, 5),  # content, so that models share files
        st.sampled_from([0.1, 0.2, 0.3, float("nan")]),
        st.sampled_from(["", "", "alias", "archive", "delete", "child"]),
    ),
    min_size=1,
    max_size=8,
)
keeps = st.lists(
    st.sampled_from(["all", "last 1", "last 2", "best 1", "best 2", "final", "every 2"]),
    min_size=1,
    max_size=2,
    unique=True,
).map(", ".join)
rule_lists = st.lists(
    st.tuples(st.sampled_from(["*", *MODELS]), keeps), max_size=3, unique_by=lambda one: one[0]
)


@pytest.mark.slow
@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=captures, rules=rule_lists)
def test_no_needed_file_is_ever_lost(
    made: Sequence[tuple[str, int, float, str]],
    rules: Sequence[tuple[str, str]],
    empty_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    nothing_is_lost(made, rules, empty_home, tmp_path_factory)


@pytest.mark.slow
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=captures, rules=rule_lists)
def test_no_needed_file_is_ever_lost_by_many_rules(
    made: Sequence[tuple[str, int, float, str]],
    rules: Sequence[tuple[str, str]],
    empty_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    nothing_is_lost(made, rules, empty_home, tmp_path_factory)


def nothing_is_lost(
    made: Sequence[tuple[str, int, float, str]],
    rules: Sequence[tuple[str, str]],
    empty_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    registry = _made(folder, empty_home, made)
    for model, keep in rules:
        registry.put_retention(model, keep)
    aliased = {one.version_id for one in registry.aliases()}
    by_hand = {one.id for one in registry.versions("state:archived").versions}

    registry.retain()
    later(registry, 1 * DAY).gc(grace=0)

    assert registry.verify().damaged == []
    assert registry.doctor().healthy
    captured = registry.versions().versions
    assert aliased <= {one.id for one in captured}
    for place, version in enumerate(captured):
        registry.checkout(version.short_id, folder / f"out-{place}")
    narrowest = {model: dict(rules).get(model) or dict(rules).get("*", "all") for model in MODELS}
    ruled = {model for model, keep in narrowest.items() if "all" not in keep}
    for version in registry.versions("state:archived").versions:
        assert version.id in by_hand or version.model in ruled
        if version.model not in ruled:
            registry.checkout(version.short_id, folder / version.short_id[1:])


def _made(folder: Path, empty_home: Path, made: Sequence[tuple[str, int, float, str]]) -> Registry:
    registry = regtui.open(shutil.copytree(empty_home, folder / "home"))
    for place, (model, content, figure, act) in enumerate(made):
        known: dict[str, Any] = {"metrics": {"f1": figure}, "params": {"step": place}}
        reference = add(registry, folder, str(content), model, **known)
        registry.edit(model, {"primary_metric": "f1"})
        version = registry.version(reference)
        if act == "alias":
            registry.set_alias(reference, "prod")
        elif act == "child":
            other = "b" if model == "a" else "a"
            add(registry, folder, f"made from {content}", other, parents=[reference])
        elif act and not version.aliases:
            registry.change_state("version", reference, act)
    age(registry.home, 30 * DAY)
    return registry
