"""What several readers say becomes one answer that the registry takes."""

import math

from hypothesis import given
from hypothesis import strategies as st

from regtui.capture.findings import (
    CURVES_LIMIT,
    METRICS_LIMIT,
    NAME_LIMIT,
    PARAMS_LIMIT,
    POINTS_LIMIT,
    PROBLEMS_LIMIT,
    TEXT_LIMIT,
    TEXTS_LIMIT,
    Curve,
    Findings,
    ParentHint,
    fitting,
    last_values,
    merged,
    thinned,
    until,
)
from regtui.registry.series import BYTES_LIMIT, Series, encode_series

BASE = ParentHint("bert-base", "base")


def test_who_comes_first_counts_and_the_others_add() -> None:
    sidecar = Findings(step=7, metrics={"f1": (0.9, 7)}, model="team/iris", problems=("a",))
    trainer = Findings(
        step=6, metrics={"f1": (0.1, 6), "loss": (2.0, 6)}, parents=(BASE,), problems=("b", "a")
    )

    whole = merged([sidecar, trainer, trainer])

    assert whole.step == 7
    assert list(whole.metrics.items()) == [("f1", (0.9, 7)), ("loss", (2.0, 6))]
    assert whole.model == "team/iris"
    assert whole.parents == (BASE,)
    assert whole.problems == ("a", "b")


def test_nothing_merged_is_nothing() -> None:
    assert merged([]) == Findings()


def test_what_fits_stays_as_it_is() -> None:
    findings = Findings(
        step=3,
        metrics={"eval/loss": (math.inf, 3)},
        directions={"eval/loss": "min"},
        params={"optim.lr": 0.1, "layers": 2, "tied": True, "note": None, "name": "ä"},
        series={"loss": Curve((1, 2), (1.0, 0.5))},
        tags={"a": "b"},
        inputs={"iris": "s3://b/iris.csv"},
        description="plain",
    )

    assert fitting(findings) == findings


def test_numbers_that_json_cannot_say_become_texts() -> None:
    found = fitting(
        Findings(
            params={"a": math.nan, "b": math.inf, "c": -math.inf, "d": 1 << 60, "e": -(1 << 53)}
        )
    )

    assert found.params == {
        "a": "NaN", "b": "Infinity", "c": "-Infinity", "d": hex(1 << 60), "e": hex(-(1 << 53)),
    }  # fmt: skip


def test_long_names_and_texts_are_cut_and_control_characters_go() -> None:
    found = fitting(
        Findings(
            params={"a\nb\x7f" + "c" * 900: "x" * 9_999, "\n": 1},
            metrics={"loss\x00": (1.0, 1 << 60)},
            directions={"loss\x00": "min"},
            tags={"t": "\ud800"},
        )
    )

    ((name, text),) = found.params.items()
    assert name == "a b " + "c" * (NAME_LIMIT - 4)
    assert isinstance(text, str)
    assert len(text) == TEXT_LIMIT
    assert text.endswith("…")
    assert found.metrics == {"loss": (1.0, None)}
    assert found.directions == {"loss": "min"}
    assert found.tags == {"t": "?"}


def test_too_many_of_anything_are_left_out_with_a_word() -> None:
    found = fitting(
        Findings(
            metrics={str(n): (1.0, None) for n in range(METRICS_LIMIT + 1)},
            series={str(n): Curve((1,), (1.0,)) for n in range(CURVES_LIMIT + 1)},
            params={str(n): n for n in range(PARAMS_LIMIT + 1)},
            parents=tuple(ParentHint(str(n), "base") for n in range(500)),
            problems=tuple(map(str, range(PROBLEMS_LIMIT - 1))),
        )
    )

    assert len(found.metrics) == METRICS_LIMIT
    assert len(found.series) == CURVES_LIMIT
    assert len(found.params) == PARAMS_LIMIT
    assert len(found.parents) == 100
    assert len(found.problems) == PROBLEMS_LIMIT
    assert found.problems[-1] == "it has 2,001 metrics; 2,000 are kept"


def test_parameters_together_stay_small_enough_for_one_operation() -> None:
    found = fitting(Findings(params={str(n): "x" * TEXT_LIMIT for n in range(1_000)}))

    assert sum(len(key) + len(str(value)) for key, value in found.params.items()) <= TEXTS_LIMIT
    assert found.problems == ("it has 1,000 parameters; 63 are kept",)


def test_a_long_curve_is_thinned_keeps_its_end_and_fits_as_text() -> None:
    count = 10 * POINTS_LIMIT + 3
    steps = tuple(range((1 << 52) - count, 1 << 52))
    curve = Curve(steps, (-1.2345678901234567e-300,) * count, (1_700_000_000_000_000,) * count)

    found = fitting(Findings(series={"loss": curve}))

    kept = found.series["loss"]
    assert kept.steps[-1] == steps[-1]
    assert len(encode_series(Series(kept.steps, kept.values, kept.times))) < BYTES_LIMIT
    assert found.problems == (
        f"the curve 'loss' has {count:,} points; {len(kept.steps):,} are kept",
    )


@given(st.integers(1, 500), st.integers(1, 50))
def test_a_thinned_curve_is_no_longer_than_asked_and_ends_where_it_did(
    count: int, limit: int
) -> None:
    curve = Curve(tuple(range(count)), tuple(map(float, range(count))), tuple(range(count)))

    kept = thinned(curve, limit)

    assert len(kept.steps) <= limit
    assert kept.steps[-1] == count - 1
    assert set(kept.steps) <= set(curve.steps)
    assert kept.values == tuple(map(float, kept.steps))
    assert kept.times == kept.steps


def test_a_curve_can_end_at_a_step() -> None:
    curve = Curve((1, 3, 5), (1.0, 2.0, 3.0), (10, 30, 50))

    assert until(curve, 4) == Curve((1, 3), (1.0, 2.0), (10, 30))
    assert until(curve, 5) is curve
    assert until(curve, None) is curve
    assert until(curve, 0) == Curve((), (), ())


def test_the_last_values_of_curves_are_metrics_with_their_steps() -> None:
    series = {"loss": Curve((1, 3), (1.0, math.nan)), "none": Curve((), ())}

    ((name, (value, step)),) = last_values(series).items()
    assert (name, step) == ("loss", 3)
    assert math.isnan(value)


def test_secrets_that_trainers_write_into_their_arguments_are_hidden() -> None:
    found = fitting(
        Findings(
            params={"hub_token": "abc", "args.api_key": "abc", "pad_token": "<pad>", "token": None},
            tags={"note": "see https://ann:geheim@host/x", "password": ""},
            inputs={"digits": "https://blob/x?sig=abcdef"},
            description="token=abcdef is mine",
        )
    )

    assert found.params == {
        "hub_token": "[hidden]", "args.api_key": "[hidden]", "pad_token": "<pad>", "token": None,
    }  # fmt: skip
    assert found.tags == {"note": "see https://ann:[hidden]@host/x", "password": ""}
    assert found.inputs == {"digits": "https://blob/x?sig=[hidden]"}
    assert found.description == "token=[hidden] is mine"
