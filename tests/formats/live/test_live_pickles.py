"""The libraries of today write, and load for real what we only read."""

import io
import pickle
import zlib
from typing import Any

import numpy as np
import pytest

from regtui.formats.values import Facts
from tests.formats.recorded_files import facts_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

INPUTS = np.random.default_rng(0).random((60, 4))
LABELS = np.arange(60) % 2


class Recorder(pickle.Unpickler):
    names: set[str]

    def find_class(self, module: str, name: str) -> Any:
        self.names.add(f"{module}.{name}")
        return super().find_class(module, name)


def check(content: bytes, facts: Facts) -> None:
    recorder = Recorder(io.BytesIO(content))
    recorder.names = set()
    recorder.load()

    assert (facts.safety, facts.problem) == ("needs-classes", None)
    assert set(facts.globals) == recorder.names


@pytest.mark.parametrize("modern", [True, False])
def test_torch_files_hold_what_torch_loads_from_them(modern: bool) -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.LSTM(4, 4)
    )
    stream = io.BytesIO()
    torch.save(model.state_dict(), stream, _use_new_zipfile_serialization=modern)
    content = stream.getvalue()
    facts = facts_of(content, "model.pt")
    found = {tensor.name: tensor for tensor in facts.tensors}

    assert facts.safety == "tensors-only"
    loaded = torch.load(io.BytesIO(content), weights_only=True)
    assert set(found) == set(loaded)
    for name, tensor in loaded.items():
        place = found[name]
        assert place.shape == tuple(tensor.shape)
        assert place.offset is not None
        raw = content[place.offset : place.offset + place.size]
        assert zlib.crc32(raw) == zlib.crc32(tensor.contiguous().numpy().tobytes())


def test_every_type_of_torch_is_known() -> None:
    torch = pytest.importorskip("torch")
    for kind in {value for value in vars(torch).values() if isinstance(value, torch.dtype)}:
        stream = io.BytesIO()
        try:
            torch.save({"w": torch.zeros(16, dtype=torch.uint8).view(kind)}, stream)
        except (RuntimeError, TypeError, KeyError):
            continue  # a quantised one, or one of torch's unfinished ones
        facts = facts_of(stream.getvalue(), "model.pt")

        assert (facts.safety, facts.problem) == ("tensors-only", None), kind
        assert facts.tensors[0].dtype == str(kind).removeprefix("torch.")


def test_every_layer_of_torch_is_known() -> None:
    torch = pytest.importorskip("torch")
    layers = [torch.nn.Linear(2, 2), torch.nn.Conv1d(1, 1, 1), torch.nn.GRU(2, 2), torch.nn.GELU()]
    layers += [torch.nn.Transformer(4, 1, 1, 1, 4), torch.nn.MultiheadAttention(4, 1)]
    layers += [torch.nn.Dropout(), torch.nn.Embedding(3, 2), torch.nn.LayerNorm(2)]
    stream = io.BytesIO()
    torch.save(torch.nn.ModuleList(layers), stream)
    facts = facts_of(stream.getvalue(), "model.pt")

    unknown = {name for name in facts.globals if name.startswith("torch.nn.functional.")}
    assert facts.safety == ("dangerous" if unknown else "needs-classes"), facts.globals


def test_xgboost_s_estimators_need_their_classes() -> None:
    xgboost = pytest.importorskip("xgboost")
    for kind in (xgboost.XGBClassifier, xgboost.XGBRegressor, xgboost.XGBRFClassifier):
        content = pickle.dumps(kind(n_estimators=3, max_depth=2).fit(INPUTS, LABELS))
        facts = facts_of(content, "model.pkl")

        check(content, facts)
        assert facts.metadata["params.max_depth"] == 2


def test_lightgbm_s_estimators_need_their_classes() -> None:
    lightgbm = pytest.importorskip("lightgbm")
    for kind in (lightgbm.LGBMClassifier, lightgbm.LGBMRegressor):
        content = pickle.dumps(kind(n_estimators=3, verbose=-1).fit(INPUTS, LABELS))
        facts = facts_of(content, "model.pkl")

        check(content, facts)
        assert facts.metadata["params.n_estimators"] == 3


def test_catboost_s_estimators_need_their_classes() -> None:
    catboost = pytest.importorskip("catboost")
    for kind in (catboost.CatBoostClassifier, catboost.CatBoostRegressor):
        model = kind(iterations=3, verbose=0, allow_writing_files=False).fit(INPUTS, LABELS)
        content = pickle.dumps(model)

        check(content, facts_of(content, "model.pkl"))


def test_tables_of_pandas_need_their_classes() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "number": [1.0, None],
            "text": ["a", None],
            "kind": pandas.Categorical(["x", "y"]),
            "whole": pandas.array([1, None], dtype="Int64"),
            "time": pandas.to_datetime(["2026-01-01", None]),
            "zone": pandas.to_datetime(["2026-01-01", "2026-01-02"]),
            "span": pandas.to_timedelta([1, 2], unit="s"),
        }
    )
    for value in (frame, frame.set_index(["number", "kind"]), frame["whole"]):
        for protocol in (2, 4, 5):
            content = pickle.dumps(value, protocol)

            check(content, facts_of(content, "model.pkl"))


def test_skops_writes_what_is_known() -> None:
    io_of_skops = pytest.importorskip("skops.io")
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier(3)).fit(INPUTS, LABELS)
    for model in (pipeline, TfidfVectorizer().fit(["a model", "a registry"])):
        facts = facts_of(io_of_skops.dumps(model), "model.skops")

        assert (facts.safety, facts.problem, facts.complete) == ("needs-classes", None, True)


def test_training_arguments_are_all_read() -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    settings = transformers.TrainingArguments(output_dir="out", use_cpu=True, report_to=[])
    stream = io.BytesIO()
    torch.save(settings, stream)
    facts = facts_of(stream.getvalue(), "training_args.bin")

    plain = {
        name: value
        for name, value in vars(settings).items()
        if type(value) in {int, str, float, bool, type(None)}
    }
    assert facts.safety == "needs-classes"
    assert plain.items() <= facts.metadata.items()
