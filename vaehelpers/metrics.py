"""Disentanglement scores: how well a model's latents match the generative factors of the images.

They follow disentanglement_lib (Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of
disentangled representations"), in which all factors are discrete. Here ``continuous`` is True if the factors are
continuous, False if they are discrete, or a list with an entry for each factor. Where a score needs classes, a
continuous factor is put into 10 bins of equal width. With None, the default, a factor with at most 10 different values
is discrete and any other is continuous, whatever its dtype. A ``UserWarning`` names a factor for which this is
ambiguous, or whose bins or classes are useless.

Scores that are fitted to some rows and tested on the others shuffle the rows first, so that the result does not depend
on their order. A constant latent is allowed and carries no information.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import mutual_info_score
from sklearn.svm import LinearSVC

from .arguments import array, function, generator, shortened, whole
from .information import entropy

Floats = NDArray[np.floating]
Labels = NDArray[np.intp]
Represent = Callable[[Floats], ArrayLike]  # factors (n, k) -> codes (n, latents), through images of them
Sample = Callable[[int, Generator], ArrayLike]  # n, rng -> factors (n, k)
Continuous = bool | Sequence[bool] | None  # see above
_CODE_BINS, _FACTOR_BINS = 20, 10


class DCI(NamedTuple):
    """The three scores of ``dci``, each at best 1."""

    disentanglement: float  # each latent is important for one factor only
    completeness: float  # each factor needs one latent only
    informativeness: float  # the share of rows whose class is predicted correctly


def mi_matrix(mu: ArrayLike, factors: ArrayLike, *, continuous: Continuous = None) -> Floats:
    """Return the mutual information ``(latents, factors)`` in nats between each latent's mean and each factor.

    ``mu`` is ``(n, latents)``, and each latent is put into 20 bins of equal width; ``factors`` is ``(n, k)``. For a
    latent and a factor that are nearly independent, the estimate from counts is biased upwards by about
    (bins − 1)(classes − 1)/2n: use thousands of rows. Raises ``ValueError`` when the shapes do not match, there are
    fewer than 4 rows or 2 latents, or a value is not finite.
    """
    codes, _, classes, _ = _prepared(mu, factors, continuous)
    return _information(codes, classes)


def mig_gaps(mu: ArrayLike, factors: ArrayLike, *, continuous: Continuous = None) -> Floats:
    """Return the gap ``(k,)`` between the two latents most informative about a factor, divided by its entropy.

    Chen et al. (2018), "Isolating sources of disentanglement in VAEs", §4. Raises ``ValueError`` as ``mi_matrix``
    does, and for a constant factor, whose entropy is 0.
    """
    codes, _, classes, _ = _prepared(mu, factors, continuous)
    _check_varying(classes)
    ranked = np.sort(_information(codes, classes), axis=0)
    return (ranked[-1] - ranked[-2]) / [entropy(np.bincount(labels) / len(labels)) for labels in classes]


def mig(mu: ArrayLike, factors: ArrayLike, *, continuous: Continuous = None) -> float:
    """Return the mutual information gap, the mean of ``mig_gaps``: at best 1, without a unit."""
    return float(mig_gaps(mu, factors, continuous=continuous).mean())


def dci(mu: ArrayLike, factors: ArrayLike, *, continuous: Continuous = None) -> DCI:
    """Return disentanglement, completeness and informativeness of ``mu`` (n, latents) about ``factors`` (n, k).

    Eastwood & Williams (2018), "A framework for the quantitative evaluation of disentangled representations", §2:
    gradient-boosted trees learn the classes of each factor from two thirds of the rows. The importance of a latent is
    its share of the total decrease in impurity; informativeness is their accuracy on the other rows. The factors are
    fitted in parallel: one of ten classes takes about 3 s for 1,000 rows of 25 latents, and the time is proportional to
    each of these numbers. Raises ``ValueError`` as ``mig_gaps`` does, and for a single factor.
    """
    codes, truths, classes, _ = _prepared(mu, factors, continuous)
    if len(classes) < 2:
        raise ValueError("factors: need at least 2 columns for DCI, got 1")
    fitted, tested = _split(codes, truths, classes)
    fits = (delayed(GradientBoostingClassifier(random_state=0).fit)(codes[fitted], row[fitted]) for row in classes)
    trees = Parallel(n_jobs=-1, prefer="threads")(fits)
    weights = np.column_stack([tree.feature_importances_ for tree in trees])
    accuracy = np.mean([tree.score(codes[tested], row[tested]) for tree, row in zip(trees, classes, strict=True)])
    return DCI(_concentration(weights), _concentration(weights.T), float(accuracy))


def sap(mu: ArrayLike, factors: ArrayLike, *, continuous: Continuous = None) -> float:
    """Return the separated attribute predictability of ``factors`` (n, k) from single columns of ``mu`` (n, latents).

    Kumar et al. (2018), "Variational inference of disentangled latent concepts from unlabeled observations", §3: the
    gap between the two latents that predict a factor best, averaged over factors. A model is fitted to two thirds of
    the rows and scored on the others: a continuous factor by the R² of a straight line, or 0 if that is negative, and
    classes by the accuracy of a linear support vector machine. Raises ``ValueError`` as ``mig_gaps`` does.
    """
    codes, truths, classes, kinds = _prepared(mu, factors, continuous)
    fitted, tested = _split(codes, truths, classes)
    columns = np.where(codes.var(axis=0, ddof=1) > 1e-12, codes, 0).T[:, :, None]  # some are constant up to rounding
    gaps = []
    for truth, labels, kind in zip(truths.T, classes, kinds, strict=True):
        model, y = (LinearRegression(), truth) if kind else (LinearSVC(C=0.01, class_weight="balanced"), labels)
        scores = sorted(max(0, model.fit(x[fitted], y[fitted]).score(x[tested], y[tested])) for x in columns)
        gaps.append(scores[-1] - scores[-2])
    return float(np.mean(gaps))


def factor_vae_score(
    represent: Represent,
    sample: Sample,
    *,
    rng: Generator,
    batch: int = 64,
    train: int = 1000,
    test: int = 500,
    variances: int = 10_000,
) -> float:
    """Return the accuracy of a vote that predicts which factor is fixed in a batch from the latent that varies least.

    Kim & Mnih (2018), "Disentangling by factorising", §4. ``represent`` turns factors (n, k) into codes (n, latents);
    ``sample(n, rng)`` draws factors. A majority vote over ``train`` batches assigns a factor to each latent, and
    ``test`` further batches score it. The variance of a latent is divided by its variance over ``variances`` draws;
    latents whose standard deviation over these is below 0.05 are left out, and if none is left the score is 0. Nearly
    all the time goes into drawing, so the defaults are a tenth of disentanglement_lib's; the standard error is at most
    0.023. Raises ``ValueError`` when a size is below 2, when factors or codes have the wrong shape or are not finite,
    and for a single or constant factor.
    """
    codes, k = _first_draw(represent, sample, variances, rng, batch=batch, train=train, test=test, variances=variances)
    scale = codes.var(axis=0, ddof=1)
    active = np.sqrt(scale) >= 0.05
    if not active.any():
        return 0.0
    fixed, latent = np.empty((2, train + test), int)
    for i in range(train + test):
        fixed[i], factors = rng.integers(k), _draw(sample, batch, rng)
        factors[:, fixed[i]] = factors[0, fixed[i]]
        latent[i] = (_encode(represent, factors).var(axis=0)[active] / scale[active]).argmin()
    votes = np.zeros((k, active.sum()))
    np.add.at(votes, (fixed[:train], latent[:train]), 1)
    return float((votes.argmax(axis=0)[latent[train:]] == fixed[train:]).mean())


def beta_vae_score(
    represent: Represent, sample: Sample, *, rng: Generator, batch: int = 64, train: int = 1000, test: int = 500
) -> float:
    """Return the accuracy of a linear classifier that predicts which factor two batches of codes share: at best 1.

    Higgins et al. (2017), "β-VAE: Learning basic visual concepts with a constrained variational framework", §3.
    A point is the mean absolute difference of two batches of codes whose rows agree in one factor; a logistic
    regression is fitted to ``train`` points and tested on ``test``. Arguments and errors as in ``factor_vae_score``.
    """
    codes, k = _first_draw(represent, sample, batch, rng, batch=batch, train=train, test=test)
    shared, points = np.empty(train + test, int), np.empty((train + test, codes.shape[1]))
    for i in range(train + test):
        shared[i], first, second = rng.integers(k), _draw(sample, batch, rng), _draw(sample, batch, rng)
        second[:, shared[i]] = first[:, shared[i]]
        points[i] = np.abs(_encode(represent, first) - _encode(represent, second)).mean(axis=0)
    classifier = LogisticRegression(max_iter=1000).fit(points[:train], shared[:train])
    return float(classifier.score(points[train:], shared[train:]))


def active_units(mu: ArrayLike) -> int:
    """Count the latents whose mean varies with the image (Burda et al. 2016, §5.2: a variance above 0.01).

    Raises ``ValueError`` when ``mu`` is not ``(n, latents)`` of finite numbers.
    """
    return int((array("mu", mu, ("n", "latents")).var(axis=0) > 0.01).sum())


def _prepared(
    mu: ArrayLike, factors: ArrayLike, continuous: Continuous
) -> tuple[Floats, Floats, Labels, NDArray[np.bool_]]:
    """Return the codes, the factors, the class ``(k, n)`` of each factor in each row, and which are continuous."""
    codes = array("mu", mu, ("n", "latents"))
    if len(codes) < 4 or codes.shape[1] < 2:
        raise ValueError(f"mu: need at least 4 rows and 2 latents, got shape {codes.shape}")
    truths = array("factors", factors, (len(codes), "k"))
    n, k = truths.shape
    distinct = [len(np.unique(truth)) for truth in truths.T]
    kinds = np.asarray([values > _FACTOR_BINS for values in distinct] if continuous is None else continuous)
    if kinds.dtype != bool or kinds.shape not in ((), (k,)):
        raise ValueError(f"continuous: need True, False, None or a list of {k} of them, got {shortened(continuous)}")
    kinds, classes = np.broadcast_to(kinds, k), np.empty((k, n), np.intp)
    for column, (truth, values, kind) in enumerate(zip(truths.T, distinct, kinds, strict=True)):
        classes[column] = _bins(truth, _FACTOR_BINS) if kind else np.unique(truth, return_inverse=True)[1]
        fullest = np.bincount(classes[column]).max()
        if kind and continuous is None and values <= n / 2:
            text = f"has {values} different values in {n} rows and is taken as continuous; set continuous=True or False"
        elif kind and values > 1 and fullest > 0.9 * n:
            text = f"has {fullest} of {n} rows in one of {_FACTOR_BINS} equal bins; its other values are far away"
        elif not kind and values > _CODE_BINS:
            text = f"has {values} classes, too many for {_CODE_BINS} bins of a latent; a quantity needs continuous=True"
        else:
            continue
        warnings.warn(f"factors: column {column} {text}", stacklevel=3)
    return codes, truths, classes, kinds


def _check_varying(classes: Labels) -> None:
    for column, labels in enumerate(classes):
        if (labels == labels[0]).all():
            raise ValueError(f"factors: column {column} is constant in {len(labels)} rows; need at least 2 values")


def _split(codes: Floats, truths: Floats, classes: Labels) -> tuple[Labels, Labels]:
    """Return two thirds of the rows to learn from, in which each factor varies, and the rows to test on."""
    order = _order(codes, truths)
    fitted, tested = np.split(order, [2 * len(order) // 3])
    _check_varying(classes[:, fitted])
    return fitted, tested


def _order(codes: Floats, truths: Floats) -> Labels:
    """Return a shuffled order of the rows that depends neither on their order nor on that of the latents."""
    keys = np.hstack([codes, np.sort(np.abs(codes), axis=1), truths])
    return np.lexsort(keys.T)[np.random.default_rng(0).permutation(len(codes))]


def _information(codes: Floats, classes: Labels) -> Floats:
    if (n := len(codes)) < _CODE_BINS * _FACTOR_BINS:
        text = f"mu: {n} rows in {_CODE_BINS} × {_FACTOR_BINS} bins overestimate the information; use thousands of rows"
        warnings.warn(text, stacklevel=3)
    counts = [[_counts(code, labels) for labels in classes] for code in (_bins(code, _CODE_BINS) for code in codes.T)]
    return np.array([[mutual_info_score(None, None, contingency=table) for table in row] for row in counts])


def _counts(a: Labels, b: Labels) -> Labels:
    """Return the contingency table of two label arrays; scikit-learn's function takes ten times as long."""
    shape = a.max() + 1, b.max() + 1
    return np.bincount(a * shape[1] + b, minlength=shape[0] * shape[1]).reshape(shape)


def _bins(values: Floats, n: int) -> Labels:
    """Return the index of each value's bin, of ``n`` equal bins from the smallest to the largest value."""
    return np.digitize(values, np.linspace(values.min(), values.max(), n + 1)[1:-1])


def _concentration(weights: Floats) -> float:
    """Return 1 − the normalised entropy of each row's shares, averaged with the row sums as weights."""
    shares = weights + 1e-11  # a row of zeros becomes uniform, and its sum is 0
    scores = 1 - entropy(shares / shares.sum(axis=1, keepdims=True), base=weights.shape[1])
    return float(np.average(scores, weights=weights.sum(axis=1) if weights.any() else None))


def _draw(sample: Sample, n: int, rng: Generator) -> Floats:
    return array("sample", function("sample", sample)(n, rng), (n, "factors")).copy()


def _encode(represent: Represent, factors: Floats) -> Floats:
    return array("represent", function("represent", represent)(factors), (len(factors), "latents"))


def _first_draw(represent: Represent, sample: Sample, n: int, rng: Generator, **sizes: int) -> tuple[Floats, int]:
    """Check all arguments, and return the codes of ``n`` draws and the number of factors."""
    for name, size in sizes.items():
        whole(name, size, 2)
    factors = _draw(sample, n, generator("rng", rng))
    if factors.shape[1] < 2:
        raise ValueError("sample: need at least 2 factors, got 1")
    if constant := np.flatnonzero((factors == factors[0]).all(axis=0)).tolist():
        raise ValueError(f"sample: need factors that vary, got constant columns {constant}")
    return _encode(represent, factors), factors.shape[1]
