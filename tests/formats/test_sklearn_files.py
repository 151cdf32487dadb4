import importlib
import io
import pickle
import pkgutil
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.cluster import DBSCAN, Birch, KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import NMF, PCA, TruncatedSVD
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import f1_score, make_scorer
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KernelDensity, KNeighborsClassifier, LocalOutlierFactor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.svm import SVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

from regtui.formats.allowed import judge
from regtui.formats.allowed_groups import GROUPS
from regtui.formats.values import Facts
from tests.formats.pickle_writing import joblib_bytes
from tests.formats.recorded_files import facts_of

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.random((40, 4))
LABELS = np.arange(40) % 2
TEXTS = ["a model registry", "a terminal", "works offline"] * 10

ESTIMATORS: list[BaseEstimator] = [
    make_pipeline(StandardScaler(), LogisticRegression(C=0.5)),
    ColumnTransformer([("scale", StandardScaler(), [0, 1]), ("bins", OneHotEncoder(), [2])]),
    FeatureUnion([("pca", PCA(2)), ("log", FunctionTransformer(np.log1p))]),
    RandomForestClassifier(3),
    ExtraTreesClassifier(3),
    GradientBoostingClassifier(n_estimators=3),
    HistGradientBoostingClassifier(max_iter=3),
    HistGradientBoostingRegressor(max_iter=3),
    IsolationForest(n_estimators=3),
    AdaBoostClassifier(n_estimators=3),
    VotingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier())]),
    StackingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier())], cv=2),
    SVC(probability=False),
    OneClassSVM(),
    KMeans(2, n_init=1),
    MiniBatchKMeans(2, n_init=1),
    DBSCAN(),
    Birch(n_clusters=2),
    GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2),
    GridSearchCV(Ridge(), {"alpha": [0.1]}, cv=2, scoring="r2"),
    GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}, cv=2, scoring=make_scorer(f1_score)),
    MLPClassifier((5,), max_iter=5),
    KNeighborsClassifier(algorithm="kd_tree"),
    KNeighborsClassifier(algorithm="ball_tree"),
    KernelDensity(),
    LocalOutlierFactor(novelty=True),
    GaussianProcessRegressor(RBF() + WhiteKernel()),
    GaussianMixture(2),
    SelectKBest(k=2),
    TruncatedSVD(2),
    NMF(2, init="random", max_iter=500, tol=0.1),
    SimpleImputer(),
    KNNImputer(),
    QuantileTransformer(n_quantiles=10),
    SGDClassifier(random_state=np.random.RandomState(0)),
    TransformedTargetRegressor(Ridge()),
    IsotonicRegression(),
    TfidfVectorizer(),
]


def fitted(estimator: BaseEstimator) -> BaseEstimator:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few iterations on little data
        if isinstance(estimator, TfidfVectorizer):
            return estimator.fit(TEXTS)
        if isinstance(estimator, IsotonicRegression):
            return estimator.fit(INPUTS[:, 0], LABELS)
        return estimator.fit(INPUTS, LABELS)


@pytest.fixture(params=ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def estimator(request: pytest.FixtureRequest) -> BaseEstimator:
    return fitted(request.param)


class Recorder(pickle.Unpickler):
    names: set[str]

    def find_class(self, module: str, name: str) -> object:
        self.names.add(f"{module}.{name}")
        return super().find_class(module, name)


def really_imported(content: bytes) -> set[str]:
    recorder = Recorder(io.BytesIO(content))
    recorder.names = set()
    recorder.load()
    return recorder.names


def check_read(facts: Facts) -> None:
    assert (facts.safety, facts.complete, facts.problem) == ("needs-classes", True, None)


def test_its_estimators_need_their_classes_and_no_more(estimator: BaseEstimator) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        content = pickle.dumps(estimator, protocol)
        facts = facts_of(content, "model.pkl")

        check_read(facts)
        assert set(facts.globals) == really_imported(content)


def test_joblib_s_files_of_them_are_read_to_their_end(estimator: BaseEstimator) -> None:
    facts = facts_of(joblib_bytes(estimator), "model.joblib")

    check_read(facts)
    assert facts.metadata["class"] == f"{type(estimator).__module__}.{type(estimator).__qualname__}"
    assert really_imported(pickle.dumps(estimator)) <= {*facts.globals, *REPLACED}
    assert facts.tensors == ordered(facts)


REPLACED = {
    # joblib writes a wrapper in place of what rebuilds an array
    "numpy._core.multiarray._reconstruct",
    "numpy.core.multiarray._reconstruct",
    "_codecs.encode",
}


def ordered(facts: Facts) -> tuple[object, ...]:
    if any(tensor.offset is None for tensor in facts.tensors):
        return facts.tensors
    return tuple(sorted(facts.tensors, key=lambda tensor: tensor.offset or 0))


@pytest.mark.parametrize("compress", ["zlib", "gzip", "bz2", "lzma", "xz"])
def test_every_way_that_joblib_compresses_is_read(compress: str) -> None:
    for model in (fitted(ESTIMATORS[0]), fitted(RandomForestClassifier(3))):
        content = joblib_bytes(model, (compress, 3))
        plain = facts_of(joblib_bytes(model), "model.joblib")
        facts = facts_of(content, "model.joblib")

        check_read(facts)
        assert facts.format == "joblib"
        assert facts.globals == plain.globals
        assert {tensor.name for tensor in facts.tensors} == {t.name for t in plain.tensors}
        assert {tensor.offset for tensor in facts.tensors} == {None}


def test_what_joblib_compresses_with_lz4_is_said_not_to_be_read() -> None:
    facts = facts_of(b"\x04\x22\x4d\x18" + bytes(60), "model.joblib")

    assert (facts.format, facts.safety) == ("joblib", "unread")
    assert "lz4" in (facts.problem or "")


def test_arrays_lie_where_the_table_says() -> None:
    value: dict[str, np.ndarray] = {
        "big": np.arange(300_000, dtype=np.float32).reshape(100, 3000),
        "small": np.arange(5, dtype=np.int16),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "none": np.zeros((0, 3)),
        "texts": np.array(["a", "bcd"]),
        "structured": np.zeros(3, dtype=[("a", "f4"), ("b", "u1")]),
        "objects": np.array([{"x": 1}, "y"], dtype=object),
        "dates": np.array(["2026-01-01"], dtype="M8[s]"),
    }
    content = joblib_bytes(value)
    found = {tensor.name: tensor for tensor in facts_of(content, "model.joblib").tensors}

    assert set(found) == set(value)
    assert found.pop("objects").offset is None
    for name, tensor in found.items():
        assert tensor.shape == value[name].shape
        assert tensor.offset is not None
        raw = content[tensor.offset : tensor.offset + tensor.size]
        assert raw == value[name].tobytes("A")
    assert found["big"].dtype == "float32"
    assert found["structured"].dtype == "V5"


def test_objects_in_an_array_in_front_are_no_reason_for_alarm() -> None:
    inner = {"a": np.arange(3), "b": np.float32(1)}
    for value in (
        np.array(["a", None], dtype=object),
        [np.array([inner, np.zeros(3, dtype="M8[s]"), RandomForestClassifier()], dtype=object)],
        ColumnTransformer([("text", OneHotEncoder(), [0])]).fit(np.array([["a"], ["b"]], object)),
    ):
        for compress in (0, 3):
            facts = facts_of(joblib_bytes(value, compress), "model.joblib")

            check_read(facts)


def test_a_large_array_in_a_plain_pickle_has_its_place_too() -> None:
    array = np.arange(100_000, dtype=np.float64)
    for protocol in (3, 4, 5):
        content = pickle.dumps({"w": array}, protocol)
        (tensor,) = facts_of(content, "model.pkl").tensors

        assert (tensor.name, tensor.dtype, tensor.shape) == ("w", "float64", (100_000,))
        assert tensor.offset is not None
        assert content[tensor.offset : tensor.offset + tensor.size] == array.tobytes()


def test_parameters_and_versions_become_metadata() -> None:
    model = fitted(
        Pipeline([("scale", StandardScaler()), ("trees", RandomForestClassifier(3, max_depth=2))])
    )
    metadata = facts_of(joblib_bytes(model), "model.joblib").metadata

    assert metadata["class"] == "sklearn.pipeline.Pipeline"
    assert metadata["_sklearn_version"] == sklearn.__version__
    assert metadata["steps.scale.class"] == "sklearn.preprocessing._data.StandardScaler"
    assert metadata["steps.scale.params.with_mean"] is True
    assert metadata["steps.trees.params.max_depth"] == 2
    assert metadata["steps.trees.params.criterion"] == "gini"
    assert metadata["steps.trees.n_features_in_"] == 4


def test_a_vocabulary_is_no_metadata() -> None:
    texts = [" ".join(f"word{number}" for number in range(200))]
    facts = facts_of(joblib_bytes(TfidfVectorizer().fit(texts)), "model.joblib")

    assert facts.cut
    assert not any("word1" in key for key in facts.metadata)
    assert facts.metadata["params.norm"] == "l2"


def every_module(package: str) -> Iterator[str]:
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, f"{package}.", onerror=lambda _: None):
        if ".tests" not in module.name and ".conftest" not in module.name:
            yield module.name


def test_no_module_of_a_known_package_offers_something_foreign_under_an_allowed_name() -> None:
    packages = {package for group in GROUPS for package in group.packages}
    looked_at = 0
    for package in (
        "sklearn",
        "scipy.sparse",
        "scipy.interpolate",
        "scipy.spatial",
        "numpy.random",
    ):
        for name in every_module(package):
            if not name.startswith(tuple(packages)):
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    module = importlib.import_module(name)
                except ImportError:
                    continue
            for attribute, value in list(vars(module).items()):
                if callable(value) and judge(name, attribute) != "dangerous":
                    looked_at += 1
                    origin = getattr(value, "__module__", None) or package
                    # Cython says so of its own helper.
                    assert origin.startswith((package.split(".")[0], "View.MemoryView")), attribute
    assert looked_at > 500
