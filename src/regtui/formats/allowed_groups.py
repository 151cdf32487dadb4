"""The table of names that a pickle may import, and how each may be called.

A name is allowed as an exact text within exact modules, or within a package and its modules where
the library moves its classes about from release to release. `allowed.py` looks names up in it.

Why a class is on the list: making one, and giving it a state, does nothing but fill it. Why some
are not, although honest files do hold them:

- `scipy.stats` distributions: their state holds source text that is compiled on loading
- `numpy` `_ufunc_reconstruct`, `builtins.getattr`, `operator.attrgetter`: they look up any name
- `functools.partial`, `operator.methodcaller`: they prepare any call
- `joblib.Memory`, `numpy.load`, `pandas.read_pickle`, `torch.load`: they read other files
- classes of `__main__` and other people's modules: nothing is known of them

Why each says how it is called: a harmless class may have a constructor that opens files
(`numpy.memmap`, a booster given a path), and a harmless function may return what it was given
(`numpy.maximum`) and so hide what a loader has on its stack.
"""

from typing import Final, Literal

from msgspec import Struct

from regtui.formats import known_names
from regtui.formats.values import Safety

Calls = Literal["never", "bare", "member", "plain", "any", "rule"]
"""How a name is called in honest files.

never   not at all: a function that is a parameter, a class that is only named
bare    without arguments: a class whose objects are filled by their state
member  with one text or number, and never filled: an enumeration
plain   with values, but with no class or function among them
any     with whatever it is to hold: a container
rule    by its own rule in `allowed_calls.py`; it is never handed on as a value
"""


class Group(Struct, frozen=True):
    """Names that are allowed for one reason.

    Attributes:
        reason: Why they may be there.
        safety: What they make of a file.
        calls: How they are called.
        modules: Where they live, exactly.
        packages: Where they live, there and in any module below.
        names: Exactly these.
        generated: Also names of the form that Cython makes for its own unpickling.
    """

    reason: str
    safety: Safety
    calls: Calls
    names: frozenset[str]
    modules: frozenset[str] = frozenset()
    packages: tuple[str, ...] = ()
    generated: bool = False


def _split(names: str | frozenset[str]) -> frozenset[str]:
    return frozenset(names.split()) if isinstance(names, str) else names


def _tensors(reason: str, calls: Calls, modules: str, names: str) -> Group:
    """Make a group of exact modules that leave a file one of tensors only."""
    return Group(reason, "tensors-only", calls, _split(names), frozenset(modules.split()))


def _classes(reason: str, calls: Calls, modules: str, names: str | frozenset[str]) -> Group:
    """Make a group of exact modules."""
    return Group(reason, "needs-classes", calls, _split(names), frozenset(modules.split()))


def _package(
    reason: str,
    calls: Calls,
    packages: str,
    names: str | frozenset[str],
    *,
    generated: bool = False,
) -> Group:
    """Make a group of packages with all that is below."""
    return Group(
        reason,
        "needs-classes",
        calls,
        _split(names),
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

_PANDAS_PLACES = """
    pandas.core.internals pandas.core.indexes pandas.core.arrays pandas.core.dtypes
    pandas.core.flags pandas.core.tables pandas.indexes pandas._libs.internals pandas._libs.arrays
    pandas._libs.interval pandas._libs.sparse pandas._libs.tslibs pandas._libs.missing
"""

_PANDAS_PARTS = """
    BlockManager SingleBlockManager Block NumericBlock ObjectBlock BlockPlacement Index RangeIndex
    Int64Index UInt64Index Float64Index MultiIndex DatetimeIndex TimedeltaIndex PeriodIndex
    IntervalIndex CategoricalIndex FrozenList Flags Categorical CategoricalDtype DatetimeTZDtype
    PeriodDtype IntervalDtype StringDtype StringArray ArrowStringArray ArrowExtensionArray
    ArrowDtype IntegerArray FloatingArray BooleanArray DatetimeArray TimedeltaArray IntervalArray
    PeriodArray NumpyExtensionArray PandasArray SparseArray SparseDtype Int8Dtype Int16Dtype
    Int32Dtype Int64Dtype UInt8Dtype UInt16Dtype UInt32Dtype UInt64Dtype Float32Dtype Float64Dtype
    BooleanDtype NA NaT NAType Timestamp Timedelta Interval Period IntIndex BlockIndex
    NDArrayBacked
"""

GROUPS: Final[tuple[Group, ...]] = (
    _tensors(
        "plain containers",
        "any",
        "builtins __builtin__",
        "set frozenset dict list tuple slice object",
    ),
    _tensors(
        "plain numbers and texts",
        "plain",
        "builtins __builtin__",
        "bytearray bytes complex range xrange int long float str unicode bool",
    ),
    _tensors("plain containers", "any", "collections", "OrderedDict defaultdict Counter deque"),
    _tensors("how protocol 2 writes bytes", "rule", "_codecs", "encode"),
    _tensors("how protocols 0 and 1 write objects", "rule", "copyreg copy_reg", "_reconstructor"),
    _tensors(
        "arrays of numpy",
        "rule",
        "numpy.core.multiarray numpy._core.multiarray numpy.core._multiarray_umath"
        " numpy._core._multiarray_umath",
        "_reconstruct scalar dtype",
    ),
    _tensors(
        "arrays of numpy",
        "never",
        "numpy.core.multiarray numpy._core.multiarray numpy.core._multiarray_umath"
        " numpy._core._multiarray_umath",
        "ndarray",
    ),
    _tensors("types of numpy", "rule", "numpy", "dtype"),
    _tensors("arrays and types of numpy", "never", "numpy", f"ndarray {_NUMPY_TYPES}"),
    _tensors("types of numpy", "bare", "numpy.dtypes", _NUMPY_DTYPES),
    _tensors(
        "arrays of numpy in protocol 5",
        "rule",
        "numpy.core.numeric numpy._core.numeric",
        "_frombuffer",
    ),
    _tensors("masked arrays of numpy", "rule", "numpy.ma.core numpy.ma", "_mareconstruct"),
    _tensors("masked arrays of numpy", "never", "numpy.ma.core numpy.ma", "MaskedArray"),
    _tensors(
        "tensors of torch",
        "rule",
        "torch._utils",
        "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter"
        " _rebuild_parameter_with_state _rebuild_qtensor _rebuild_sparse_tensor"
        " _rebuild_sparse_csr_tensor _rebuild_meta_tensor_no_storage _rebuild_nested_tensor"
        " _rebuild_device_tensor_from_numpy _rebuild_device_tensor_from_cpu_tensor",
    ),
    _tensors("tensors with a state", "rule", "torch._tensor", "_rebuild_from_type_v2"),
    _tensors("tensors with a state", "never", "torch._tensor", "Tensor"),
    # What it is given is a torch file of its own, which is read and judged too.
    _tensors("a storage as a file within", "rule", "torch.storage", "_load_from_bytes"),
    _tensors("layouts", "rule", "torch.serialization", "_get_layout"),
    _tensors("types of torch", "never", "torch", f"Tensor {_TORCH_TYPES}"),
    _tensors("shapes and devices", "plain", "torch", "Size device"),
    _tensors("storages of torch", "plain", "torch torch.storage torch.cuda", _TORCH_STORAGES),
    _tensors("parameters", "never", "torch.nn.parameter", "Parameter Buffer"),
    _tensors(
        "typed lists in TorchScript archives",
        "rule",
        "torch.jit._pickle",
        "build_boollist build_doublelist build_intlist build_tensorlist build_tensor_from_id"
        " restore_type_tag",
    ),
    _classes("values of the standard library", "bare", "argparse", "Namespace"),
    _classes("values of the standard library", "bare", "types", "SimpleNamespace"),
    _classes(
        "paths; nothing is opened",
        "plain",
        "pathlib pathlib._local",
        "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath",
    ),
    _classes("times", "plain", "datetime", "date datetime time timedelta timezone"),
    _classes("numbers", "plain", "decimal", "Decimal"),
    _classes("numbers", "plain", "fractions", "Fraction"),
    _classes("ids", "plain", "uuid", "UUID"),
    _classes("ids", "member", "uuid", "SafeUUID"),
    _classes("patterns of text", "rule", "re", "_compile"),
    _classes("annotations of settings", "never", "typing", "Any"),
    _classes("containers", "any", "collections", "UserDict UserList ChainMap"),
    _package(
        "scikit-learn",
        "plain",
        " ".join(f"sklearn.{part}" for part in _SKLEARN_PARTS.split()),
        known_names.SKLEARN | {"newObj"},
        generated=True,
    ),
    _package(
        "scikit-learn's distances and scorers",
        "plain",
        "sklearn.metrics",
        known_names.SKLEARN_METRICS | {"newObj"},
        generated=True,
    ),
    _package(
        "scikit-learn's functions of arrays",
        "never",
        "sklearn.metrics sklearn.feature_selection",
        known_names.SKLEARN_FUNCTIONS,
    ),
    _package(
        "scikit-learn's bags of values",
        "plain",
        "sklearn.utils",
        "Bunch MetadataRequest MethodMetadataRequest MetadataRouter MethodMapping Tags"
        " TargetTags InputTags ClassifierTags RegressorTags TransformerTags _nandict _NaNCounter"
        " MissingValues WeightVector WeightVector32 WeightVector64",
        generated=True,
    ),
    _package(
        "sparse matrices",
        "bare",
        "scipy.sparse",
        " ".join(
            f"{kind}_{form}"
            for kind in ("csr", "csc", "coo", "bsr", "dia", "dok", "lil")
            for form in ("matrix", "array")
        ),
    ),
    _package(
        "splines of numbers", "plain", "scipy.interpolate", "interp1d BSpline PPoly CubicSpline"
    ),
    _package("trees of points", "plain", "scipy.spatial", "cKDTree KDTree"),
    _package(
        "random states of numpy",
        "rule",
        "numpy.random",
        "__randomstate_ctor __generator_ctor __bit_generator_ctor",
        generated=True,
    ),
    _package(
        "random states of numpy",
        "plain",
        "numpy.random",
        "RandomState Generator MT19937 PCG64 PCG64DXSM Philox SFC64 SeedSequence"
        " SeedlessSeedSequence",
    ),
    _classes(
        "functions of numbers",
        "never",
        "numpy numpy.core._multiarray_umath numpy._core._multiarray_umath numpy.core.umath"
        " numpy._core.umath",
        known_names.NUMPY_FUNCTIONS,
    ),
    _classes(
        "functions of numbers",
        "never",
        "scipy.special scipy.special._ufuncs scipy.special._special_ufuncs",
        known_names.SCIPY_FUNCTIONS,
    ),
    _classes(
        "functions of arrays",
        "never",
        "numpy",
        "mean median average sum prod min max amin amax std var ptp nanmean nanmedian nansum"
        " nanmin nanmax nanstd nanvar nan_to_num",
    ),
    _classes(
        "splines of numbers", "never", "scipy._lib.array_api_compat.numpy._aliases", "asarray"
    ),
    _classes("ranges of losses", "plain", "sklearn._loss.link", "Interval"),
    _classes(
        "steps of scikit-learn's k-means",
        "never",
        "sklearn.cluster._kmeans",
        "_kmeans_single_lloyd _kmeans_single_elkan",
    ),
    _classes(
        "wrappers of arrays",
        "rule",
        "joblib.numpy_pickle sklearn.externals.joblib.numpy_pickle",
        "NumpyArrayWrapper NDArrayWrapper ZNDArrayWrapper",
    ),
    _classes(
        "wrappers of arrays",
        "rule",
        "joblib.numpy_pickle_compat sklearn.externals.joblib.numpy_pickle_compat",
        "NDArrayWrapper ZNDArrayWrapper",
    ),
    _classes("arrays of numpy", "never", "numpy", "memmap recarray record"),
    _classes("arrays of numpy", "never", "numpy.core.memmap numpy._core.memmap", "memmap"),
    _classes(
        "records",
        "never",
        "numpy.core.records numpy._core.records numpy.rec",
        "recarray record",
    ),
    _classes("XGBoost", "bare", "xgboost.core", "Booster"),
    _classes(
        "XGBoost",
        "bare",
        "xgboost.sklearn",
        "XGBModel XGBClassifier XGBRegressor XGBRanker XGBRFClassifier XGBRFRegressor",
    ),
    _classes(
        "XGBoost's callbacks",
        "bare",
        "xgboost.callback",
        "EarlyStopping EvaluationMonitor LearningRateScheduler",
    ),
    _classes("LightGBM", "bare", "lightgbm.basic", "Booster"),
    _classes("LightGBM", "bare", "lightgbm.engine", "CVBooster"),
    _classes(
        "LightGBM",
        "bare",
        "lightgbm.sklearn",
        "LGBMModel LGBMClassifier LGBMRegressor LGBMRanker _EvalFunctionWrapper"
        " _ObjectiveFunctionWrapper",
    ),
    _classes(
        "CatBoost",
        "bare",
        "catboost.core catboost",
        "CatBoost CatBoostClassifier CatBoostRegressor CatBoostRanker",
    ),
    _classes("CatBoost's metrics", "plain", "catboost.metrics", known_names.CATBOOST_METRICS),
    _classes("tables of pandas", "bare", "pandas.core.frame", "DataFrame"),
    _classes("tables of pandas", "bare", "pandas pandas.core.series", "DataFrame Series"),
    _package(
        "what tables of pandas are made of",
        "rule",
        _PANDAS_PLACES,
        "new_block _unpickle_block _new_Index _new_DatetimeIndex _new_PeriodIndex"
        " _new_IntervalIndex _unpickle_timestamp _timedelta_unpickle _nat_unpickle",
        generated=True,
    ),
    _package(
        "what tables of pandas are made of",
        "plain",
        f"{_PANDAS_PLACES} pandas.arrays",
        _PANDAS_PARTS,
    ),
    _classes("what tables of pandas are made of", "plain", "pandas", _PANDAS_PARTS),
    _classes(
        "steps of time",
        "plain",
        "pandas._libs.tslibs.offsets",
        "Day Hour Minute Second Milli Micro Nano BusinessDay MonthEnd MonthBegin BusinessMonthEnd"
        " BusinessMonthBegin QuarterEnd QuarterBegin YearEnd YearBegin Week DateOffset",
    ),
    _package("layers of torch", "bare", "torch.nn.modules", known_names.TORCH_MODULES),
    _package("optimizers of torch", "bare", "torch.optim", known_names.TORCH_OPTIM),
    _classes(
        "settings of the Hugging Face trainers",
        "bare",
        "transformers.training_args transformers.training_args_seq2seq",
        "TrainingArguments Seq2SeqTrainingArguments",
    ),
    _classes(
        "choices of the Hugging Face trainers",
        "member",
        "transformers.training_args transformers.training_args_seq2seq",
        "OptimizerNames ParallelMode",
    ),
    _classes(
        "choices of the Hugging Face trainers",
        "member",
        "transformers.trainer_utils",
        "IntervalStrategy SchedulerType HubStrategy SaveStrategy EvaluationStrategy FSDPOption"
        " ShardedDDPOption",
    ),
    _classes(
        "choices of the Hugging Face trainers",
        "member",
        "transformers.utils.generic transformers.debug_utils",
        "ExplicitEnum DebugOption",
    ),
    _classes(
        "settings of the Hugging Face trainers",
        "bare",
        "transformers.trainer_pt_utils transformers.generation.configuration_utils",
        "AcceleratorConfig GenerationConfig",
    ),
    _classes(
        "choices of accelerate",
        "member",
        "accelerate.utils.dataclasses",
        "DistributedType DynamoBackend PrecisionType SaveFormat",
    ),
    _classes(
        "settings of accelerate",
        "bare",
        "accelerate.utils.dataclasses accelerate.state",
        "PartialState AcceleratorState GradientAccumulationPlugin FullyShardedDataParallelPlugin"
        " DeepSpeedPlugin ParallelismConfig",
    ),
    _package(
        "settings of TRL",
        "bare",
        "trl.trainer",
        "SFTConfig DPOConfig PPOConfig GRPOConfig RewardConfig KTOConfig ORPOConfig CPOConfig"
        " RLOOConfig OnlineDPOConfig",
    ),
    _package(
        "settings of Lightning",
        "bare",
        "lightning.fabric.utilities lightning.pytorch.utilities lightning_fabric.utilities"
        " pytorch_lightning.utilities",
        "AttributeDict",
    ),
    _package(
        "keys of the state of Lightning's callbacks",
        "never",
        "lightning.pytorch.callbacks pytorch_lightning.callbacks",
        "ModelCheckpoint EarlyStopping LearningRateMonitor Timer",
    ),
    _classes("settings of OmegaConf", "bare", "omegaconf.dictconfig", "DictConfig"),
    _classes("settings of OmegaConf", "bare", "omegaconf.listconfig", "ListConfig"),
    _classes("settings of OmegaConf", "bare", "omegaconf.base", "ContainerMetadata Metadata"),
    _classes(
        "settings of OmegaConf",
        "bare",
        "omegaconf.nodes",
        "AnyNode StringNode IntegerNode FloatNode BooleanNode EnumNode PathNode BytesNode"
        " UnionNode",
    ),
)
