"""Names of classes and functions that honest model files hold, as data.

Each set holds names that its library itself defines, so that a module that merely imports something
foreign under its own roof gives no way to it; a test goes through the installed libraries for that.
`tests/formats/recorded/make_names.py` prints what a newer release has that is not here; a person
decides what of it is added.

Left out on purpose: whatever reads or writes files, opens connections, starts programs, compiles or
evaluates text, looks names up, or only serves the libraries' own tests.
"""

from typing import Final


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SKLEARN: Final = _names(
    """
    _BaseChain _BaseDiscreteNB _BaseEncoder _BaseFilter _BaseHeterogeneousEnsemble _BaseImputer
    _BaseKFold _BaseKMeans _BaseNB _BaseNMF _BasePCA _BaseRidge _BaseRidgeCV _BaseSparseCoding
    _BaseSparsePCA _BaseStacking _BaseVoting _BinaryGaussianProcessClassifierLaplace _BinMapper
    _BisectingTree _CalibratedClassifier _CFNode _CFSubcluster _ConstantPredictor
    _CVIterableWrapper _GeneralizedLinearRegressor _IdentityClassifier _IdentityRegressor
    _ImputerTriplet _LbfgsCallbackBridge _MultiOutputEstimator _PLS _QuadTree _RepeatedSplits
    _RidgeGCV _SigmoidCalibration _SubsampleMetaSplitter _TemperatureScaling
    _ValidationScoreCallback _X_CenterStackOp _XT_CenterStackOp AbsoluteError AdaBoostClassifier
    AdaBoostRegressor AdamOptimizer AdditiveChi2Sampler AffinityPropagation
    AgglomerationTransform AgglomerativeClustering ARDRegression BaggingClassifier
    BaggingRegressor BallTree BallTree32 BallTree64 BaseBagging BaseCrossValidator
    BaseDecisionTree BaseEnsemble BaseEstimator BaseForest BaseGradientBoosting
    BaseGraphicalLasso BaseHistGradientBoosting BaseLabelPropagation BaseLibSVM BaseLink
    BaseLoss BaseMixture BaseMultilayerPerceptron BaseOptimizer BaseRandomProjection
    BaseSearchCV BaseSGD BaseSGDClassifier BaseSGDRegressor BaseShuffleSplit BaseSpectral
    BaseSuccessiveHalving BaseSVC BaseThresholdClassifier BaseWeightBoosting
    BayesianGaussianMixture BayesianRidge BernoulliNB BernoulliRBM BestSparseSplitter
    BestSplitter Binarizer BinaryCrossEntropy BinaryTree BinaryTree32 BinaryTree64
    BinomialDeviance Birch BisectingKMeans CalibratedClassifierCV CategoricalCrossentropy
    CategoricalEncoder CategoricalNB CCA ChebyshevDistance ClassicalMDS Classification
    ClassificationCriterion ClassificationLossFunction ClassifierChain ColumnTransformer
    ComplementNB CompoundKernel ConstantKernel CountVectorizer Criterion CriterionCache
    CyAbsoluteError CyExponentialLoss CyHalfBinomialLoss CyHalfGammaLoss CyHalfMultinomialLoss
    CyHalfPoissonLoss CyHalfSquaredError CyHalfTweedieLoss CyHalfTweedieLossIdentity CyHuberLoss
    CyLossFunction CyPinballLoss DBSCAN DecisionTreeClassifier DecisionTreeRegressor
    DensePartitioner DictionaryLearning DictVectorizer DotProduct DPGMM DummyClassifier
    DummyRegressor ElasticNet ElasticNetCV EllipticEnvelope EmpiricalCovariance Entropy
    EpsilonInsensitive EuclideanDistance ExponentialLoss ExponentialLossFunction Exponentiation
    ExpSineSquared ExtraTreeClassifier ExtraTreeRegressor ExtraTreesClassifier
    ExtraTreesRegressor FactorAnalysis FastICA FeatureAgglomeration FeatureHasher FeatureUnion
    FixedThresholdClassifier ForestClassifier ForestRegressor FriedmanMSE FrozenEstimator
    FunctionTransformer GammaRegressor GaussianMixture GaussianNB GaussianProcessClassifier
    GaussianProcessRegressor GaussianRandomProjection GenericUnivariateSelect Gini GMM
    GradientBoostingClassifier GradientBoostingRegressor GraphicalLasso GraphicalLassoCV
    GridSearchCV GroupKFold GroupShuffleSplit HalfBinomialLoss HalfBinomialLossArrayAPI
    HalfGammaLoss HalfLogitLink HalfMultinomialLoss HalfMultinomialLossArrayAPI HalfPoissonLoss
    HalfPoissonLossArrayAPI HalfSquaredError HalfTweedieLoss HalfTweedieLossIdentity
    HalvingGridSearchCV HalvingRandomSearchCV HashingVectorizer HDBSCAN Hinge
    HistGradientBoostingClassifier HistGradientBoostingRegressor Huber HuberLoss
    HuberLossFunction HuberRegressor Hyperparameter IdentityLink Imputer IncrementalPCA
    IsolationForest Isomap IsotonicRegression IterativeImputer KBinsDiscretizer KDTree KDTree32
    KDTree64 Kernel KernelCenterer KernelDensity KernelOperator KernelPCA KernelRidge KFold
    KMeans KNeighborsClassifier KNeighborsRegressor KNeighborsTransformer KNNImputer
    LabelBinarizer LabelEncoder LabelPropagation LabelSpreading Lars LarsCV Lasso LassoCV
    LassoLars LassoLarsCV LassoLarsIC LatentDirichletAllocation LDA LeastAbsoluteError
    LeastSquares LeastSquaresError LeaveOneGroupOut LeaveOneOut LeavePGroupsOut LeavePOut
    LedoitWolf LinearDiscriminantAnalysis LinearModel LinearModelCV LinearModelLoss
    LinearRegression LinearSVC LinearSVR LocallyLinearEmbedding LocalOutlierFactor Log
    LogisticRegression LogisticRegressionCV LogitLink LogLink LogOddsEstimator LossFunction
    LSHForest MAE make_column_selector ManhattanDistance Matern MaxAbsScaler MDS MeanEstimator
    MeanShift MinCovDet MiniBatchDictionaryLearning MiniBatchKMeans MiniBatchNMF
    MiniBatchSparsePCA MinkowskiDistance MinMaxScaler MissingIndicator MLPClassifier
    MLPRegressor ModifiedHuber MonotonicConstraint MSE MultiLabelBinarizer MultinomialDeviance
    MultinomialLogit MultinomialNB MultiOutputClassifier MultiOutputLinearModel
    MultiOutputRegressor MultiTaskElasticNet MultiTaskElasticNetCV MultiTaskLasso
    MultiTaskLassoCV NearestCentroid NearestNeighbors NeighborhoodComponentsAnalysis
    NeighborsBase NeighborsHeap32 NeighborsHeap64 NewtonCholeskySolver NewtonSolver NMF NodeHeap
    Normalizer NuSVC NuSVR Nystroem OAS OneClassSVM OneHotEncoder OneVsOneClassifier
    OneVsRestClassifier OPTICS OrdinalEncoder OrthogonalMatchingPursuit
    OrthogonalMatchingPursuitCV OutputCodeClassifier PairwiseKernel ParameterGrid
    ParameterSampler PassiveAggressiveClassifier PassiveAggressiveRegressor PatchExtractor PCA
    Perceptron PinballLoss Pipeline PLSCanonical PLSRegression PLSSVD Poisson PoissonRegressor
    PolynomialCountSketch PolynomialFeatures PowerTransformer PredefinedSplit
    PresortBestSplitter PriorProbabilityEstimator Product ProjectedGradientNMF QDA
    QuadraticDiscriminantAnalysis QuantileEstimator QuantileLossFunction QuantileRegressor
    QuantileTransformer RadiusNeighborsClassifier RadiusNeighborsRegressor
    RadiusNeighborsTransformer RandomForestClassifier RandomForestRegressor RandomizedLasso
    RandomizedLogisticRegression RandomizedSearchCV RandomSparseSplitter RandomSplitter
    RandomTreesEmbedding RANSACRegressor RationalQuadratic RBF RBFSampler Regression
    RegressionCriterion RegressionLossFunction RegressorChain RepeatedKFold
    RepeatedStratifiedKFold RFE RFECV Ridge RidgeClassifier RidgeClassifierCV RidgeCV
    RobustScaler ScaledLogOddsEstimator SelectFdr SelectFpr SelectFromModel SelectFwe
    SelectKBest SelectPercentile SelfTrainingClassifier SequentialFeatureSelector SGDClassifier
    SGDOneClassSVM SGDOptimizer SGDRegressor ShrunkCovariance ShuffleSplit SimpleImputer
    SkewedChi2Sampler SparseCoder SparsePartitioner SparsePCA SparseRandomProjection
    SpectralBiclustering SpectralClustering SpectralCoclustering SpectralEmbedding
    SplineTransformer SplitInfo Splitter SquaredEpsilonInsensitive SquaredHinge SquaredLoss
    StackingClassifier StackingRegressor StandardScaler StratifiedGroupKFold StratifiedKFold
    StratifiedShuffleSplit Sum SVC SVR TargetEncoder TfidfTransformer TfidfVectorizer
    TheilSenRegressor TimeSeriesSplit TransformedTargetRegressor Tree TreeGrower TreeNode
    TreePredictor TreeUnionFind TruncatedSVD TSNE TunedThresholdClassifierCV TweedieRegressor
    UnionFind VarianceThreshold VBGMM VerboseReporter VotingClassifier VotingRegressor
    WeightedEdge WeightedFenwickTree WhiteKernel ZeroEstimator
    """
)
"""Estimators of scikit-learn, and what they are made of, also of older releases."""

SKLEARN_METRICS: Final = _names(
    """
    _BaseScorer _CurveScorer _MultimetricScorer _PassthroughScorer _PredictScorer _ProbaScorer
    _Scorer _ThresholdScorer BrayCurtisDistance32 BrayCurtisDistance64 CanberraDistance32
    CanberraDistance64 ChebyshevDistance ChebyshevDistance32 ChebyshevDistance64 DiceDistance32
    DiceDistance64 DistanceMetric DistanceMetric32 DistanceMetric64 EuclideanDistance
    EuclideanDistance32 EuclideanDistance64 HammingDistance HammingDistance32
    HammingDistance64 HaversineDistance HaversineDistance32 HaversineDistance64
    JaccardDistance32 JaccardDistance64
    KulsinskiDistance32 KulsinskiDistance64 MahalanobisDistance32 MahalanobisDistance64
    ManhattanDistance ManhattanDistance32 ManhattanDistance64 MatchingDistance32
    MatchingDistance64 MinkowskiDistance MinkowskiDistance32 MinkowskiDistance64
    PyFuncDistance32 PyFuncDistance64 RogersTanimotoDistance32 RogersTanimotoDistance64
    RussellRaoDistance32 RussellRaoDistance64 SEuclideanDistance32 SEuclideanDistance64
    SokalMichenerDistance32 SokalMichenerDistance64 SokalSneathDistance32 SokalSneathDistance64
    """
)
"""Distances and scorers."""

SKLEARN_FUNCTIONS: Final = _names(
    """
    _passthrough_scorer
    accuracy_score additive_chi2_kernel adjusted_mutual_info_score adjusted_rand_score auc
    average_precision_score balanced_accuracy_score brier_score_loss calinski_harabasz_score
    chi2 chi2_kernel class_likelihood_ratios classification_report cohen_kappa_score
    completeness_score confusion_matrix confusion_matrix_at_thresholds consensus_score
    cosine_distances coverage_error d2_absolute_error_score d2_brier_score d2_log_loss_score
    d2_pinball_score d2_tweedie_score davies_bouldin_score dcg_score det_curve
    euclidean_distances explained_variance_score f1_score f_classif f_oneway f_regression
    fbeta_score fowlkes_mallows_score hamming_loss haversine_distances hinge_loss
    homogeneity_completeness_v_measure homogeneity_score jaccard_score
    label_ranking_average_precision_score label_ranking_loss laplacian_kernel linear_kernel
    log_loss manhattan_distances matthews_corrcoef max_error mean_absolute_error
    mean_absolute_percentage_error mean_gamma_deviance mean_pinball_loss mean_poisson_deviance
    mean_squared_error mean_squared_log_error mean_tweedie_deviance median_absolute_error
    metric_at_thresholds multilabel_confusion_matrix mutual_info_classif mutual_info_regression
    mutual_info_score nan_euclidean_distances ndcg_score normalized_mutual_info_score
    pair_confusion_matrix paired_cosine_distances paired_distances paired_euclidean_distances
    paired_manhattan_distances pairwise_distances pairwise_distances_argmin
    pairwise_distances_argmin_min pairwise_distances_chunked pairwise_kernels polynomial_kernel
    precision_recall_curve precision_recall_fscore_support precision_score r2_score r_regression
    rand_score rbf_kernel recall_score roc_auc_score roc_curve root_mean_squared_error
    root_mean_squared_log_error sigmoid_kernel silhouette_samples silhouette_score
    top_k_accuracy_score v_measure_score zero_one_loss
    """
)
"""Functions of arrays that estimators are given: scores, kernels, tests."""

TORCH_MODULES: Final = _names(
    """
    _AdaptiveAvgPoolNd _AdaptiveMaxPoolNd _AvgPoolNd _BatchNorm _CircularPadNd _ConstantPadNd
    _ConvNd _ConvTransposeMixin _ConvTransposeNd _DropoutNd _InstanceNorm _LazyConvXdMixin
    _LazyNormBase _Loss _LPPoolNd _MaxPoolNd _MaxUnpoolNd _NormBase _ReflectionPadNd
    _ReplicationPadNd _WeightedLoss AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d
    AdaptiveLogSoftmaxWithLoss AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d
    AlphaDropout AvgPool1d AvgPool2d AvgPool3d BatchNorm1d BatchNorm2d BatchNorm3d BCELoss
    BCEWithLogitsLoss Bilinear CELU ChannelShuffle CircularPad1d CircularPad2d CircularPad3d
    ConstantPad1d ConstantPad2d ConstantPad3d Container Conv1d Conv2d Conv3d ConvTranspose1d
    ConvTranspose2d ConvTranspose3d CosineEmbeddingLoss CosineSimilarity CrossEntropyLoss
    CrossMapLRN2d CTCLoss Dropout Dropout1d Dropout2d Dropout3d ELU Embedding EmbeddingBag
    FeatureAlphaDropout Flatten Fold FractionalMaxPool2d FractionalMaxPool3d GaussianNLLLoss
    GELU GLU GroupNorm GRU GRUCell Hardshrink Hardsigmoid Hardswish Hardtanh HingeEmbeddingLoss
    HuberLoss Identity InstanceNorm1d InstanceNorm2d InstanceNorm3d KLDivLoss L1Loss LayerNorm
    LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyConv1d LazyConv2d LazyConv3d
    LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d LazyInstanceNorm1d
    LazyInstanceNorm2d LazyInstanceNorm3d LazyLinear LazyModuleMixin LeakyReLU Linear
    LinearCrossEntropyLoss LinearCrossEntropyOptions LocalResponseNorm LogSigmoid LogSoftmax
    LPPool1d LPPool2d LPPool3d LSTM LSTMCell MarginRankingLoss MaxPool1d MaxPool2d MaxPool3d
    MaxUnpool1d MaxUnpool2d MaxUnpool3d Mish Module ModuleDict ModuleList MSELoss
    MultiheadAttention MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss
    NLLLoss2d NonDynamicallyQuantizableLinear PairwiseDistance ParameterDict ParameterList
    PixelShuffle PixelUnshuffle PoissonNLLLoss PReLU ReflectionPad1d ReflectionPad2d
    ReflectionPad3d ReLU ReLU6 ReplicationPad1d ReplicationPad2d ReplicationPad3d RMSNorm RNN
    RNNBase RNNCell RNNCellBase RReLU SELU Sequential Sigmoid SiLU SmoothL1Loss SoftMarginLoss
    Softmax Softmax2d Softmin Softplus Softshrink Softsign SyncBatchNorm Tanh Tanhshrink
    Threshold Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder
    TransformerEncoderLayer TripletMarginLoss TripletMarginWithDistanceLoss Unflatten Unfold
    Upsample UpsamplingBilinear2d UpsamplingNearest2d ZeroPad1d ZeroPad2d ZeroPad3d
    """
)
"""Layers, when a whole model was pickled."""

TORCH_OPTIM: Final = _names(
    """
    _LRScheduler Adadelta Adagrad Adam Adamax AdamW ASGD AveragedModel ChainedScheduler
    ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR ExponentialLR LambdaLR
    LBFGS LinearLR LRScheduler MultiplicativeLR MultiStepLR NAdam OneCycleLR Optimizer
    PolynomialLR RAdam ReduceLROnPlateau RMSprop Rprop SequentialLR SGD SparseAdam StepLR SWALR
    """
)
"""Optimizers and schedulers, when pickled whole."""

CATBOOST_METRICS: Final = _names(
    """
    _MetricGenerator Accuracy AUC AUCMulticlass AverageGain BalancedAccuracy BalancedErrorRate
    BrierScore BuiltinMetric Combination Cox CrossEntropy CtrFactor DCG ERR Expectile F F1
    FairLoss FilteredDCG Focal GroupQuantile HammingLoss HingeLoss Huber Kappa LogCosh
    LogLikelihoodOfPrediction LogLinQuantile Logloss Lq MAE MAP MAPE MCC MedianAbsoluteError MRR
    MSLE MultiClass MultiClassOneVsAll MultiCrossEntropy MultiLogloss MultiQuantile MultiRMSE
    MultiRMSEWithMissingValues NDCG NormalizedGini NormalizedGiniMulticlass NumErrors
    PairAccuracy PairLogit PairLogitPairwise PFound Poisson PRAUC PRAUCMulticlass Precision
    PrecisionAt Quantile QueryAUC QueryAUCMulticlass QueryAverage QueryCrossEntropy QueryRMSE
    QuerySoftMax R2 Recall RecallAt RMSE RMSEWithUncertainty RMSPE SMAPE SurvivalAft TotalF1
    Tweedie UserPerObjMetric UserQuerywiseMetric WKappa ZeroOneLoss
    """
)
"""Metrics as objects."""

NUMPY_FUNCTIONS: Final = _names(
    """
    abs absolute acos acosh add arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh
    atan atan2 atanh bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not
    bitwise_or bitwise_right_shift bitwise_xor cbrt ceil conj conjugate copysign cos cosh
    deg2rad degrees divide divmod equal exp exp2 expm1 fabs float_power floor floor_divide fmax
    fmin fmod frexp gcd greater greater_equal heaviside hypot invert isfinite isinf isnan isnat
    lcm ldexp left_shift less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and
    logical_not logical_or logical_xor matmul matvec maximum minimum mod modf multiply negative
    nextafter not_equal positive pow power rad2deg radians reciprocal remainder right_shift rint
    sign signbit sin sinh spacing sqrt square subtract tan tanh true_divide trunc vecdot vecmat
    """
)
"""Functions of numbers, element by element (`FunctionTransformer(numpy.log1p)`)."""

SCIPY_FUNCTIONS: Final = _names(
    """
    agm airy airye bdtr bdtrc bdtri bdtrik bdtrin bei beip ber berp besselpoly beta betainc
    betaincc betainccinv betaincinv betaln binom boxcox boxcox1p btdtria btdtrib cbrt chdtr
    chdtrc chdtri chdtriv chndtr chndtridf chndtrinc chndtrix cosdg cosm1 cotdg dawsn digamma
    ellipe ellipeinc ellipj ellipk ellipkinc ellipkm1 elliprc elliprd elliprf elliprg elliprj
    entr erf erfc erfcinv erfcx erfi erfinv eval_chebyc eval_chebys eval_chebyt eval_chebyu
    eval_gegenbauer eval_genlaguerre eval_hermite eval_hermitenorm eval_jacobi eval_laguerre
    eval_legendre eval_sh_chebyt eval_sh_chebyu eval_sh_jacobi eval_sh_legendre exp1 exp10 exp2
    expi expit expm1 expn exprel fdtr fdtrc fdtri fdtridfd fresnel gamma gammainc gammaincc
    gammainccinv gammaincinv gammaln gammasgn gdtr gdtrc gdtria gdtrib gdtrix hankel1 hankel1e
    hankel2 hankel2e huber hyp0f1 hyp1f1 hyp2f1 hyperu i0 i0e i1 i1e inv_boxcox inv_boxcox1p iv
    ive j0 j1 jn jv jve k0 k0e k1 k1e kei keip kelvin ker kerp kl_div kn kolmogi kolmogorov kv
    kve log1p log_expit log_ndtr loggamma logit lpmv modstruve nbdtr nbdtrc nbdtri ncfdtr
    ncfdtri nctdtr nctdtrit ndtr ndtri ndtri_exp owens_t pdtr pdtrc pdtri poch powm1
    pseudo_huber psi radian rel_entr rgamma round shichi sici sindg smirnov smirnovi spence
    stdtr stdtrit struve tandg tklmbda voigt_profile wofz wright_bessel wrightomega xlog1py
    xlogy y0 y1 yn yv yve zeta zetac
    """
)
"""Special functions of numbers, element by element (`FunctionTransformer(scipy.special.expit)`)."""
