"""What a pickle may name, and what each name means for the verdict.

An allow-list: whatever is not on it is dangerous, also what was never heard of, for a list of known
evils is never whole. A name is allowed as an exact text within exact modules, or within a package
and its modules where the library moves its classes about from release to release. No name has a
dot, so nothing is reached through the attributes of something else (`sklearn`, `os.system`).

Why a class is on the list: making one, and giving it a state, does nothing but fill it. Why some
are not, although honest files do hold them:

- `scipy.stats` distributions: their state holds source text that is compiled on loading
- `numpy` `_ufunc_reconstruct`, `builtins.getattr`, `operator.attrgetter`: they look up any name
- `functools.partial`, `operator.methodcaller`: they prepare any call
- `joblib.Memory`, `numpy.load`, `pandas.read_pickle`, `torch.load`: they read other files
- classes of `__main__` and other people's modules: nothing is known of them
"""

import re
from functools import lru_cache
from typing import Final

from msgspec import Struct

from regtui.formats import known_names
from regtui.formats.values import Safety


class Group(Struct, frozen=True):
    """Names that are allowed for one reason.

    Attributes:
        reason: Why they may be there.
        safety: What they make of a file.
        modules: Where they live, exactly.
        packages: Where they live, there and in any module below.
        names: Exactly these.
        generated: Also names of the form that Cython makes for its own unpickling.
    """

    reason: str
    safety: Safety
    names: frozenset[str]
    modules: frozenset[str] = frozenset()
    packages: tuple[str, ...] = ()
    generated: bool = False


def judge(module: str, name: str) -> Safety:
    """Return `tensors-only`, `needs-classes` or `dangerous` for a name that a pickle imports."""
    return _judge(module, name) if len(module) + len(name) <= _LONGEST else "dangerous"


@lru_cache(4_096)
def _judge(module: str, name: str) -> Safety:
    for group in GROUPS:
        if name in group.names or (group.generated and _GENERATED.fullmatch(name)):
            if module in group.modules:
                return group.safety
            if module.startswith(group.packages) and _within(module, group.packages):
                return group.safety
    return "dangerous"


def _within(module: str, packages: tuple[str, ...]) -> bool:
    return _MODULE.fullmatch(module) is not None and any(
        module == package or module.startswith(package + ".") for package in packages
    )


_LONGEST = 500
_MODULE = re.compile(r"[A-Za-z_]\w*(\.(?!tests?\b)[A-Za-z_]\w*)*", re.ASCII)
_GENERATED = re.compile(r"__pyx_unpickle_[A-Za-z_]\w*", re.ASCII)


def _tensors(reason: str, modules: str, names: str) -> Group:
    return Group(reason, "tensors-only", frozenset(names.split()), frozenset(modules.split()))


def _classes(reason: str, modules: str, names: str | frozenset[str]) -> Group:
    """Make a group of exact modules."""
    names = frozenset(names.split()) if isinstance(names, str) else names
    return Group(reason, "needs-classes", names, frozenset(modules.split()))


def _package(
    reason: str, packages: str, names: str | frozenset[str], *, generated: bool = False
) -> Group:
    """Make a group of packages with all that is below."""
    names = frozenset(names.split()) if isinstance(names, str) else names
    return Group(
        reason,
        "needs-classes",
        names,
        packages=tuple(packages.split()),
        generated=generated,
    )


_TORCH_TYPES = """
    float16 float32 float64 bfloat16 half float double int8 int16 int32 int64 uint8 uint16 uint32
    uint64 bool complex32 complex64 complex128 cfloat cdouble short int long qint8 quint8 qint32
    quint4x2 quint2x4 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu
    float4_e2m1fn_x2 bits8 bits16 bits1x8 bits2x4 bits4x2 int1 int2 int3 int4 int5 int6 int7 uint1
    uint2 uint3 uint4 uint5 uint6 uint7
    strided sparse_coo sparse_csr sparse_csc sparse_bsr sparse_bsc contiguous_format channels_last
    channels_last_3d preserve_format per_tensor_affine per_channel_affine per_tensor_symmetric
    per_channel_symmetric per_channel_affine_float_qparams
"""

_TORCH_STORAGES = """
    FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage ShortStorage
    CharStorage ByteStorage BoolStorage ComplexFloatStorage ComplexDoubleStorage QInt8Storage
    QUInt8Storage QInt32Storage QUInt4x2Storage QUInt2x4Storage UntypedStorage TypedStorage
"""

_NUMPY_TYPES = """
    bool bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 intc intp uintc uintp byte ubyte
    short ushort long ulong longlong ulonglong float16 float32 float64 float128 half single double
    longdouble complex64 complex128 complex256 csingle cdouble clongdouble str_ unicode_ bytes_
    string_ object_ void datetime64 timedelta64 generic number integer floating
"""

_NUMPY_DTYPES = """
    BoolDType ByteDType BytesDType CLongDoubleDType Complex64DType Complex128DType DateTime64DType
    Float16DType Float32DType Float64DType Int8DType Int16DType Int32DType Int64DType IntDType
    LongDType LongDoubleDType LongLongDType ObjectDType ShortDType StrDType StringDType
    TimeDelta64DType UByteDType UInt8DType UInt16DType UInt32DType UInt64DType UIntDType ULongDType
    ULongLongDType UShortDType VoidDType
"""

_SKLEARN_PARTS = """
    _loss base calibration cluster compose covariance cross_decomposition decomposition
    discriminant_analysis dummy ensemble feature_extraction feature_selection frozen
    gaussian_process impute isotonic kernel_approximation kernel_ridge linear_model manifold
    mixture model_selection multiclass multioutput naive_bayes neighbors neural_network pipeline
    preprocessing qda lda random_projection semi_supervised svm tree grid_search cross_validation
"""

_PANDAS_PARTS = """
    BlockManager SingleBlockManager Block NumericBlock ObjectBlock new_block _unpickle_block
    BlockPlacement Index _new_Index RangeIndex Int64Index UInt64Index Float64Index MultiIndex
    DatetimeIndex _new_DatetimeIndex TimedeltaIndex PeriodIndex _new_PeriodIndex IntervalIndex
    _new_IntervalIndex CategoricalIndex FrozenList Flags Categorical CategoricalDtype
    DatetimeTZDtype PeriodDtype IntervalDtype StringDtype StringArray ArrowStringArray
    ArrowExtensionArray ArrowDtype IntegerArray FloatingArray BooleanArray DatetimeArray
    TimedeltaArray IntervalArray PeriodArray NumpyExtensionArray PandasArray SparseArray SparseDtype
    Int8Dtype Int16Dtype Int32Dtype Int64Dtype UInt8Dtype UInt16Dtype UInt32Dtype UInt64Dtype
    Float32Dtype Float64Dtype BooleanDtype NA NaT NAType _unpickle_timestamp _timedelta_unpickle
    _nat_unpickle Timestamp Timedelta NDArrayBacked
"""

GROUPS: Final[tuple[Group, ...]] = (
    _tensors(
        "plain containers and numbers",
        "builtins __builtin__",
        "set frozenset bytearray bytes complex slice range xrange dict list tuple int long float"
        " str unicode bool object",
    ),
    _tensors("plain containers", "collections", "OrderedDict defaultdict Counter deque"),
    _tensors("how protocol 2 writes bytes", "_codecs", "encode"),
    _tensors("how protocols 0 and 1 write objects", "copyreg copy_reg", "_reconstructor"),
    _tensors(
        "arrays of numpy",
        "numpy.core.multiarray numpy._core.multiarray numpy.core._multiarray_umath"
        " numpy._core._multiarray_umath",
        "_reconstruct scalar ndarray dtype",
    ),
    _tensors("arrays of numpy", "numpy", f"ndarray dtype {_NUMPY_TYPES}"),
    _tensors("types of numpy", "numpy.dtypes", _NUMPY_DTYPES),
    _tensors(
        "arrays of numpy in protocol 5", "numpy.core.numeric numpy._core.numeric", "_frombuffer"
    ),
    _tensors("masked arrays of numpy", "numpy.ma.core numpy.ma", "_mareconstruct MaskedArray"),
    _tensors(
        "tensors of torch",
        "torch._utils",
        "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter"
        " _rebuild_parameter_with_state _rebuild_qtensor _rebuild_sparse_tensor"
        " _rebuild_sparse_csr_tensor _rebuild_meta_tensor_no_storage _rebuild_nested_tensor"
        " _rebuild_device_tensor_from_numpy _rebuild_device_tensor_from_cpu_tensor",
    ),
    _tensors("tensors with a state", "torch._tensor", "_rebuild_from_type_v2 Tensor"),
    # What it is given is a torch file of its own, which is read and judged too.
    _tensors("a storage as a file within", "torch.storage", "_load_from_bytes"),
    _tensors("layouts", "torch.serialization", "_get_layout"),
    _tensors(
        "types and storages of torch",
        "torch",
        f"Tensor Size device {_TORCH_TYPES} {_TORCH_STORAGES}",
    ),
    _tensors("storages of torch", "torch.storage torch.cuda", _TORCH_STORAGES),
    _tensors("parameters", "torch.nn.parameter", "Parameter Buffer"),
    _tensors(
        "typed lists in TorchScript archives",
        "torch.jit._pickle",
        "build_boollist build_doublelist build_intlist build_tensorlist build_tensor_from_id"
        " restore_type_tag",
    ),
    _classes("values of the standard library", "argparse", "Namespace"),
    _classes("values of the standard library", "types", "SimpleNamespace"),
    _classes(
        "paths; nothing is opened",
        "pathlib pathlib._local",
        "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath",
    ),
    _classes("times", "datetime", "date datetime time timedelta timezone"),
    _classes("numbers", "decimal", "Decimal"),
    _classes("numbers", "fractions", "Fraction"),
    _classes("ids", "uuid", "UUID SafeUUID"),
    _classes("patterns of text", "re", "_compile"),
    _classes("annotations of settings", "typing", "Any"),
    _classes("containers", "collections", "UserDict UserList ChainMap"),
    _package(
        "scikit-learn",
        " ".join(f"sklearn.{part}" for part in _SKLEARN_PARTS.split()),
        known_names.SKLEARN | {"newObj"},
        generated=True,
    ),
    _package(
        "scikit-learn's distances, scorers and functions of arrays",
        "sklearn.metrics sklearn.feature_selection",
        known_names.SKLEARN_METRICS | known_names.SKLEARN_FUNCTIONS | {"newObj"},
        generated=True,
    ),
    _package(
        "scikit-learn's bags of values",
        "sklearn.utils",
        "Bunch MetadataRequest MethodMetadataRequest MetadataRouter MethodMapping Tags"
        " TargetTags InputTags ClassifierTags RegressorTags TransformerTags _nandict _NaNCounter"
        " MissingValues WeightVector WeightVector32 WeightVector64",
        generated=True,
    ),
    _package(
        "sparse matrices",
        "scipy.sparse",
        " ".join(
            f"{kind}_{form}"
            for kind in ("csr", "csc", "coo", "bsr", "dia", "dok", "lil")
            for form in ("matrix", "array")
        ),
    ),
    _package("splines of numbers", "scipy.interpolate", "interp1d BSpline PPoly CubicSpline"),
    _package("trees of points", "scipy.spatial", "cKDTree KDTree"),
    _package(
        "random states of numpy",
        "numpy.random",
        "__randomstate_ctor __generator_ctor __bit_generator_ctor RandomState Generator MT19937"
        " PCG64 PCG64DXSM Philox SFC64 SeedSequence SeedlessSeedSequence",
        generated=True,
    ),
    _classes(
        "functions of numbers",
        "numpy numpy.core._multiarray_umath numpy._core._multiarray_umath numpy.core.umath"
        " numpy._core.umath",
        known_names.NUMPY_FUNCTIONS,
    ),
    _classes(
        "functions of arrays",
        "numpy",
        "mean median average sum prod min max amin amax std var ptp nanmean nanmedian nansum"
        " nanmin nanmax nanstd nanvar",
    ),
    _classes("splines of numbers", "scipy._lib.array_api_compat.numpy._aliases", "asarray"),
    _classes("ranges of losses", "sklearn._loss.link", "Interval"),
    _classes(
        "steps of scikit-learn's k-means",
        "sklearn.cluster._kmeans",
        "_kmeans_single_lloyd _kmeans_single_elkan",
    ),
    _classes(
        "wrappers of arrays",
        "joblib.numpy_pickle sklearn.externals.joblib.numpy_pickle",
        "NumpyArrayWrapper NDArrayWrapper ZNDArrayWrapper",
    ),
    _classes(
        "wrappers of arrays",
        "joblib.numpy_pickle_compat sklearn.externals.joblib.numpy_pickle_compat",
        "NDArrayWrapper ZNDArrayWrapper",
    ),
    _classes("wrappers of arrays", "numpy", "memmap recarray record"),
    _classes("wrappers of arrays", "numpy.core.memmap numpy._core.memmap", "memmap"),
    _classes("records", "numpy.core.records numpy._core.records numpy.rec", "recarray record"),
    _classes("XGBoost", "xgboost.core", "Booster"),
    _classes(
        "XGBoost",
        "xgboost.sklearn",
        "XGBModel XGBClassifier XGBRegressor XGBRanker XGBRFClassifier XGBRFRegressor",
    ),
    _classes(
        "XGBoost's callbacks",
        "xgboost.callback",
        "EarlyStopping EvaluationMonitor LearningRateScheduler",
    ),
    _classes("LightGBM", "lightgbm.basic", "Booster"),
    _classes("LightGBM", "lightgbm.engine", "CVBooster"),
    _classes(
        "LightGBM",
        "lightgbm.sklearn",
        "LGBMModel LGBMClassifier LGBMRegressor LGBMRanker _EvalFunctionWrapper"
        " _ObjectiveFunctionWrapper",
    ),
    _classes(
        "CatBoost",
        "catboost.core catboost",
        "CatBoost CatBoostClassifier CatBoostRegressor CatBoostRanker",
    ),
    _classes("CatBoost's metrics", "catboost.metrics", known_names.CATBOOST_METRICS),
    _classes("tables of pandas", "pandas.core.frame", "DataFrame"),
    _classes("tables of pandas", "pandas pandas.core.series", "DataFrame Series Index"),
    _package(
        "what tables of pandas are made of",
        "pandas.core.internals pandas.core.indexes pandas.core.arrays pandas.core.dtypes"
        " pandas.core.flags pandas.core.tables pandas.indexes pandas._libs.internals"
        " pandas._libs.arrays pandas._libs.tslibs pandas._libs.missing",
        _PANDAS_PARTS,
        generated=True,
    ),
    _classes("what tables of pandas are made of", "pandas pandas.arrays", _PANDAS_PARTS),
    _classes(
        "steps of time",
        "pandas._libs.tslibs.offsets",
        "Day Hour Minute Second Milli Micro Nano BusinessDay MonthEnd MonthBegin BusinessMonthEnd"
        " BusinessMonthBegin QuarterEnd QuarterBegin YearEnd YearBegin Week DateOffset",
    ),
    _package("layers of torch", "torch.nn.modules", known_names.TORCH_MODULES),
    _package("optimizers of torch", "torch.optim", known_names.TORCH_OPTIM),
    _classes(
        "settings of the Hugging Face trainers",
        "transformers.training_args transformers.training_args_seq2seq",
        "TrainingArguments Seq2SeqTrainingArguments OptimizerNames ParallelMode",
    ),
    _classes(
        "settings of the Hugging Face trainers",
        "transformers.trainer_utils",
        "IntervalStrategy SchedulerType HubStrategy SaveStrategy EvaluationStrategy FSDPOption"
        " ShardedDDPOption",
    ),
    _classes(
        "settings of the Hugging Face trainers",
        "transformers.utils.generic"
        " transformers.debug_utils transformers.trainer_pt_utils transformers.generation."
        "configuration_utils",
        "ExplicitEnum DebugOption AcceleratorConfig GenerationConfig",
    ),
    _classes(
        "settings of accelerate",
        "accelerate.utils.dataclasses accelerate.state",
        "DistributedType PartialState AcceleratorState DynamoBackend PrecisionType SaveFormat"
        " GradientAccumulationPlugin FullyShardedDataParallelPlugin DeepSpeedPlugin"
        " ParallelismConfig",
    ),
    _package(
        "settings of TRL",
        "trl.trainer",
        "SFTConfig DPOConfig PPOConfig GRPOConfig RewardConfig KTOConfig ORPOConfig CPOConfig"
        " RLOOConfig OnlineDPOConfig",
    ),
    _package(
        "settings of Lightning",
        "lightning.fabric.utilities lightning.pytorch.utilities lightning_fabric.utilities"
        " pytorch_lightning.utilities",
        "AttributeDict",
    ),
    _package(
        "keys of the state of Lightning's callbacks",
        "lightning.pytorch.callbacks pytorch_lightning.callbacks",
        "ModelCheckpoint EarlyStopping LearningRateMonitor Timer",
    ),
    _classes("settings of OmegaConf", "omegaconf.dictconfig", "DictConfig"),
    _classes("settings of OmegaConf", "omegaconf.listconfig", "ListConfig"),
    _classes("settings of OmegaConf", "omegaconf.base", "ContainerMetadata Metadata"),
    _classes(
        "settings of OmegaConf",
        "omegaconf.nodes",
        "AnyNode StringNode IntegerNode FloatNode BooleanNode EnumNode PathNode BytesNode"
        " UnionNode",
    ),
)
