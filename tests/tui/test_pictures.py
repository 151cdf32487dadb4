"""Pictures of every screen: small and large, dark and light. The documentation shows them too."""

import datetime
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from textual.widgets import Input, TextArea

from regtui.capture.events import Event
from regtui.capture.reports import Doing, Reporter
from regtui.registry import Registry, totals, watch_status
from regtui.registry.answers_production import DeploymentAnswer
from regtui.tui import registry_status
from regtui.tui.app import RegtuiApp
from regtui.tui.config import AppConfig
from regtui.tui.syncing import Syncing
from tests.depth import few_of
from tests.tui.conftest import MakeApp
from tests.tui.driving import Driven, at_rest, press
from tests.tui.pictured import CONFLICTS, GRANTS, OUTBOX, REMOTE
from tests.tui.producing import produced
from tests.tui.sample import NOW, opened

SIZES = {"80x24": (80, 24), "160x48": (160, 48)}

SnapCompare = Callable[..., bool]

SCREENS: dict[str, tuple[str, ...]] = {
    "models": ("j", "j", "enter"),
    "metrics": ("j", "j", "enter", "enter", "]", "j", "j"),
    "file": ("j", "j", "enter", "enter", "]", "]", "]", "j", "enter"),
    "lineage": ("j", "j", "enter", "enter", "]", "]", "]", "]"),
    "discussion": ("j", "j", "enter", "enter", "[", "[", "z"),
    "compare": ("j", "j", "enter", "space", "space", "space", "c", *"jjjjjjjj"),
    "reviews": ("3", "]"),
    "deployments": ("4",),
    "watch": ("5", "tab", "tab", *"jjj"),
    "conflicts": ("6",),
    "activity": ("7", *"jjjjjjjjjj"),
    "settings": ("8", "]", "]", "]", "j", "j"),
    "edit": ("j", "j", "enter", *"eje", "backspace", "2", "enter", *"jjxjj"),
    "card": ("j", "j", "enter", "E", "down", "down"),
    "help": ("j", "j", "enter", "question_mark"),
}
"""The keys that lead to each screen."""


_NAMES = {"[": "left_square_bracket", "]": "right_square_bracket"}


def watched(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two folders be watched, and one not, with something of everything in the lists."""
    monkeypatch.setattr(watch_status, "_is_there", lambda path: "cluster" not in path)
    nlp, vision, cluster = "/home/ann/runs/nlp", "/home/ann/runs/vision", "/mnt/cluster/runs"
    rules = [
        {"path": nlp, "keep": "best 3, last 1"},
        {"path": vision, "keep": "all", "model": "vision/{run}"},
        {"path": cluster, "keep": "final"},
    ]
    lines = "".join(
        "[[watch]]\n" + "".join(f'{name} = "{value}"\n' for name, value in rule.items())
        for rule in rules
    )
    (home / "watch.toml").write_text(lines, encoding="utf-8")
    states = {
        nlp: [
            Doing(
                path="sentiment/checkpoint-1500", recogniser="transformers", step=1500,
                phase="capturing", reason="", size=438_000_000, stored=188_000_000, removed=False,
            ),
            Doing(
                path="sentiment/checkpoint-1600", recogniser="transformers", step=1600,
                phase="waiting", reason="model.safetensors is being written",
                size=120_000_000, stored=0, removed=False,
            ),
        ],
        vision: [],
    }  # fmt: skip
    events = [
        (1, "captured", nlp, "sentiment/checkpoint-1400", "nlp/sentiment@14 :3f9c01aa52"),
        (1, "rotated", nlp, "sentiment/checkpoint-1300", "its trainer removed it; pins keep it"),
        (4, "skipped", nlp, "sentiment/checkpoint-1200", "the rule is to keep best 3, last 1"),
        (9, "labelled", vision, "digits/best.pt", "best.pt is vision/digits@3"),
        (30, "problem", vision, "digits/args.yaml", "line 7 is no YAML; the rest was read"),
        (31, "captured", vision, "digits/last.pt", "vision/digits@3 :5a9650914d"),
        (50, "lost", vision, "digits/tmp.pt", "it was removed; it ends before its directory"),
        (59, "watching", vision, None, "by events and a timer"),
    ]  # fmt: skip
    for root, doing in states.items():
        reporter = Reporter(home, Path(root), by_rules=True)
        for minutes, event, of, path, message in reversed(events):
            if of == root:
                moment = datetime.datetime.fromtimestamp(NOW / 1e6 - 60 * minutes, datetime.UTC)
                reporter.tell(
                    Event(event=event, at=moment.isoformat(), root=root, path=path, message=message)
                )
        reporter.renew(doing, more=0, is_there=True)


def joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the registry have a server that was there lately, with conflicts and refused changes."""
    monkeypatch.setattr(registry_status, "remote_of", lambda _: REMOTE)
    found = totals.Totals(versions=9, models=4, conflicts=len(CONFLICTS))
    monkeypatch.setattr(totals, "totals", lambda _: found)
    monkeypatch.setattr(Registry, "conflicts", lambda *_, **__: CONFLICTS)
    monkeypatch.setattr(Registry, "outbox", lambda _: OUTBOX)
    monkeypatch.setattr(Registry, "grants", lambda _: GRANTS)
    monkeypatch.setattr(Syncing, "begin", lambda _: None)


def deployed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the registry have requests and deployments, of some of which something was heard."""
    produced(home, monkeypatch)
    deployments = Registry.deployments

    def heard(one: DeploymentAnswer) -> DeploymentAnswer:
        minutes = HEARD.get((one.version, one.environment))
        if minutes is None or one.state != "live":
            return one
        state = "fresh" if minutes < 10 else "stale" if minutes < 60 else "silent"
        beat = datetime.datetime.fromtimestamp(NOW / 1e6 - 60 * minutes, datetime.UTC)
        usage = {
            "hour": {"requests": 4_812, "errors": 3, "p50": 0.0174, "p95": 0.0412},
            "day": {"requests": 98_340, "errors": 41, "p50": 0.0181, "p95": 0.0567},
        }
        return msgspec.structs.replace(one, health=state, last_beat=beat.isoformat(), usage=usage)

    monkeypatch.setattr(
        Registry,
        "deployments",
        lambda *given, **named: [heard(one) for one in deployments(*given, **named)],
    )


HEARD = {
    ("nlp/sentiment@6", "production"): 1,
    ("nlp/sentiment@5", "production"): 2,
    ("nlp/sentiment@6", "staging"): 14,
    ("vision/digits@3", "edge"): 200,
}
"""How many minutes ago something was heard of what is deployed."""


def pressing(keys: tuple[str, ...]) -> Callable[[Driven], object]:
    async def run(pilot: Driven) -> None:
        await at_rest(pilot)
        for key in keys:
            await press(pilot, _NAMES.get(key, key))
        for line in pilot.app.screen.query(Input):
            line.cursor_blink = False  # which shows the cursor
        for text in pilot.app.screen.query(TextArea):
            text.cursor_blink = False

    return run


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        ("160x48", "regtui-dark"),
        pytest.param("80x24", "regtui-light", marks=pytest.mark.slow),
        pytest.param("160x48", "regtui-light", marks=pytest.mark.slow),
        pytest.param("80x24", "regtui-dark", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("screen", SCREENS)
def test_picture(  # noqa: PLR0913, PLR0917 -- what pytest gives
    snap_compare: SnapCompare,
    make_app: MakeApp,
    sample: Registry,
    monkeypatch: pytest.MonkeyPatch,
    screen: str,
    size: str,
    theme: str,
) -> None:
    if screen == "watch":
        watched(sample.home, monkeypatch)
    if screen in {"conflicts", "settings"}:
        joined(monkeypatch)
    if screen in {"reviews", "deployments"}:
        deployed(sample.home, monkeypatch)
    run = pressing(SCREENS[screen])
    assert snap_compare(make_app(theme=theme), terminal_size=SIZES[size], run_before=run)


VERSION = ("j", "j", "enter")
DETAIL = (*VERSION, "enter")

OTHERS: dict[str, tuple[str, ...]] = {
    "overview": (*DETAIL, "z"),
    "params": (*DETAIL, "]", "]", "z", "j"),
    "context": (*DETAIL, *("]" * 5), "z"),
    "history": (*DETAIL, "[", "z"),
    "prompt": (*VERSION, "t", *"env"),
    "choice": (*VERSION, "a"),
    "question": (*VERSION, "A"),
    "palette": (*VERSION, "ctrl+p", *"ver"),
    "production": (*VERSION, "enter", *("]" * 7)),
    "timeline": ("4", "enter"),
    "policies": ("8", "[", "["),
}
"""The keys that lead to what is no screen of its own."""


@pytest.mark.parametrize("screen", few_of(OTHERS, 4))
def test_picture_of_a_part(
    snap_compare: SnapCompare,
    make_app: MakeApp,
    sample: Registry,
    monkeypatch: pytest.MonkeyPatch,
    screen: str,
) -> None:
    if screen in {"production", "timeline", "policies"}:
        deployed(sample.home, monkeypatch)
    run = pressing(OTHERS[screen])
    assert snap_compare(make_app(), terminal_size=SIZES["80x24"], run_before=run)


def test_picture_of_the_first_steps(snap_compare: SnapCompare, tmp_path: Path) -> None:
    app = RegtuiApp(opened(tmp_path / "home"), config=AppConfig(tmp_path / "app.toml"))
    assert snap_compare(app, terminal_size=SIZES["80x24"], run_before=pressing(()))


@pytest.mark.parametrize(
    "screen",
    [
        "models",
        *(
            pytest.param(one, marks=pytest.mark.slow)
            for one in ("compare", "edit", "reviews", "deployments")
        ),
    ],
)
@pytest.mark.parametrize("look", ["no-color", "high-contrast", "ascii"])
def test_picture_in_other_looks(  # noqa: PLR0913, PLR0917 -- what pytest gives
    snap_compare: SnapCompare,
    make_app: MakeApp,
    sample: Registry,
    monkeypatch: pytest.MonkeyPatch,
    look: str,
    screen: str,
) -> None:
    if screen in {"reviews", "deployments"}:
        deployed(sample.home, monkeypatch)
    if look == "no-color":
        monkeypatch.setenv("NO_COLOR", "1")
    app = make_app(
        theme="high-contrast" if look == "high-contrast" else None, ascii=look == "ascii"
    )
    run = pressing(SCREENS[screen])
    assert snap_compare(app, terminal_size=(100, 30), run_before=run)
