"""Scores that say how well a model's latents match the factors behind the pictures.

They follow disentanglement_lib (Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of
disentangled representations"), whose factors are all classes. Here ``continuous`` says what the factors are: True for
quantities, which are put into 10 equal bins where a score needs classes; False for classes; a list for one of each
column. None takes a factor of at most 10 different values as classes and any other as continuous, whatever its dtype,
and warns where that is not clear. A ``UserWarning`` names a factor whose bins or classes cannot mean anything.
Scores that learn from some rows and are tested on the others shuffle them first, in a way that does not depend on the
order in which they come. A latent that never moves is legal and counts as one that knows nothing.
"""

import warnings
from collections.abc import Callable, Sequence
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from .arguments import array, function, generator, number, shortened, whole
from .information import entropy, mutual_information

Floats = NDArray[np.floating]
Labels = NDArray[np.intp]
Represent = Callable[[Floats], ArrayLike]  # factors (n, k) -> codes (n, latents), through pictures of them
Sample = Callable[[int, Generator], ArrayLike]  # n, rng -> factors (n, k)
Kinds = bool | Sequence[bool] | None  # whether factors are continuous, see above
_CODE_BINS, _FACTOR_BINS = 20, 10


class DCI(NamedTuple):
    """What ``dci`` returns, each at best 1: one factor a latent, one latent a factor, classes told from the code."""

    disentanglement: float
    completeness: float
    informativeness: float


def mi_matrix(mu: ArrayLike, factors: ArrayLike, *, continuous: Kinds = None) -> Floats:
    """Return the mutual information ``(latents, factors)`` in nats between each latent's mean and each factor.

    ``mu`` is ``(n, latents)``, each put into 20 equal bins; ``factors`` is ``(n, k)``. Counted shares make it too
    large by about (bins − 1)(classes − 1)/2n: take thousands of rows. Raises ``ValueError`` when the shapes do not
    match, rows or latents are fewer than 2 or a value is not finite.
    """
    codes, truths = _check(mu, factors)
    return _information(codes, _classes(truths, _kinds(truths, continuous)))


def mig_gaps(mu: ArrayLike, factors: ArrayLike, *, continuous: Kinds = None) -> Floats:
    """Return the gap ``(factors,)`` between the two latents that know most of a factor, as a share of its entropy.

    Chen et al. (2018), "Isolating sources of disentanglement in VAEs", §4. Raises ``ValueError`` as ``mi_matrix``
    does, and for a constant factor, which has no entropy to share.
    """
    codes, truths = _check(mu, factors)
    classes = _varying(_classes(truths, _kinds(truths, continuous)), len(codes))
    informed = np.sort(_information(codes, classes), axis=0)
    return (informed[-1] - informed[-2]) / [entropy(np.bincount(labels) / len(labels)) for labels in classes]


def mig(mu: ArrayLike, factors: ArrayLike, *, continuous: Kinds = None) -> float:
    """Return the mutual information gap, the mean of ``mig_gaps``: at best 1, without a unit."""
    return float(mig_gaps(mu, factors, continuous=continuous).mean())


def dci(mu: ArrayLike, factors: ArrayLike, *, train: float = 2 / 3, continuous: Kinds = None) -> DCI:
    """Return disentanglement, completeness and informativeness of ``mu`` (n, latents) about ``factors`` (n, k).

    Eastwood & Williams (2018), "A framework for the quantitative evaluation of disentangled representations", §2:
    gradient-boosted trees learn each factor's classes from a share ``train`` of the rows, and the latents that they
    split by are the important ones; informativeness is the share of the other rows that they get right.
    A factor of ten classes takes about 3 s for 1,000 rows of 25 latents, in proportion to each of the three.
    Raises ``ValueError`` as ``mig_gaps`` does, for a single factor and for a share that leaves one part empty.
    """
    codes, truths = _check(mu, factors)
    if truths.shape[1] < 2:
        raise ValueError("factors: need at least 2 columns for DCI to tell apart, got 1")
    kinds, rows = _kinds(truths, continuous), _learning_rows(len(codes), train)
    codes, truths = _shuffled(codes, truths)
    importance, right = [], []
    for labels in _varying(_classes(truths, kinds), rows):
        trees = GradientBoostingClassifier(random_state=0).fit(codes[:rows], labels[:rows])
        importance.append(trees.feature_importances_)
        right.append(trees.score(codes[rows:], labels[rows:]))
    weights = np.array(importance).T
    return DCI(_concentration(weights), _concentration(weights.T), float(np.mean(right)))


def sap(mu: ArrayLike, factors: ArrayLike, *, train: float = 2 / 3, continuous: Kinds = None) -> float:
    """Return the separated attribute predictability of ``factors`` (n, k) from single columns of ``mu`` (n, latents).

    Kumar et al. (2018), "Variational inference of disentangled latent concepts from unlabeled observations", §3: the
    gap between the two latents that predict a factor best, averaged over factors. A share ``train`` of the rows is
    learned from and the others are predicted: a continuous factor by a line, whose score is R² and at least 0, classes
    by a linear support vector machine, whose score is the share that is right.
    Raises ``ValueError`` as ``mig_gaps`` does, and for a share that leaves one part empty.
    """
    codes, truths = _check(mu, factors)
    kinds, rows, scores = _kinds(truths, continuous), _learning_rows(len(codes), train), []
    codes, truths = _shuffled(codes, truths)
    for truth, labels, linear in zip(truths.T, _varying(_classes(truths, kinds), rows), kinds, strict=True):
        scores.append(_line_scores(codes, truth, rows) if linear else _accuracies(codes, labels, rows))
    ranked = np.sort(scores, axis=1)
    return float((ranked[:, -1] - ranked[:, -2]).mean())


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
    """Return how often the latent that varies least in a batch tells which factor was held fixed in it: at best 1.

    Kim & Mnih (2018), "Disentangling by factorising", §4. ``represent`` turns factors (n, k) into codes (n, latents);
    ``sample(n, rng)`` draws factors. A latent stands for the factor that most of its ``train`` batches held fixed, and
    is tested on ``test`` others. Its variance counts relative to that over ``variances`` draws; a latent whose standard
    deviation is below 0.05 is left out, and with none left the score is 0. Drawing takes nearly all the time, hence a
    tenth of disentanglement_lib's batches: the standard error is at most 0.023. Raises ``ValueError`` when a size is
    below 2, when factors or codes have the wrong shape or are not finite, and for a single or a constant factor.
    """
    codes, k = _probe(represent, sample, variances, rng, (batch, train, test, variances))
    scale = codes.var(axis=0, ddof=1)
    active = np.sqrt(scale) >= 0.05
    if not active.any():
        return 0.0

    def ballot() -> tuple[int, int]:
        fixed, factors = int(rng.integers(k)), _draw(sample, batch, rng)
        factors[:, fixed] = factors[0, fixed]
        relative = _encode(represent, factors).var(axis=0)[active] / scale[active]
        return fixed, int(relative.argmin())

    fixed, latent = np.array([ballot() for _ in range(train + test)]).T
    votes = np.zeros((k, active.sum()))
    np.add.at(votes, (fixed[:train], latent[:train]), 1)
    return float((votes.argmax(axis=0)[latent[train:]] == fixed[train:]).mean())


def beta_vae_score(
    represent: Represent, sample: Sample, *, rng: Generator, batch: int = 64, train: int = 1000, test: int = 500
) -> float:
    """Return how often a linear classifier tells from differences of codes which factor two batches share: at best 1.

    Higgins et al. (2017), "β-VAE: Learning basic visual concepts with a constrained variational framework", §3.
    A point is the mean absolute difference of two batches of codes whose rows agree in one factor; a logistic
    regression learns from ``train`` points and is tested on ``test``. Arguments and errors as in ``factor_vae_score``.
    """
    _, k = _probe(represent, sample, batch, rng, (batch, train, test))

    def point() -> tuple[int, Floats]:
        fixed, first, second = int(rng.integers(k)), _draw(sample, batch, rng), _draw(sample, batch, rng)
        second[:, fixed] = first[:, fixed]
        return fixed, np.abs(_encode(represent, first) - _encode(represent, second)).mean(axis=0)

    fixed, points = map(np.array, zip(*(point() for _ in range(train + test)), strict=True))
    classifier = LogisticRegression(max_iter=1000).fit(points[:train], fixed[:train])
    return float(classifier.score(points[train:], fixed[train:]))


def active_units(mu: ArrayLike, *, threshold: float = 0.01) -> int:
    """Count the latents whose mean moves with the picture (Burda et al. 2016, §5.2: variance above 0.01).

    Raises ``ValueError`` when ``mu`` is not ``(n, latents)`` of finite numbers.
    """
    return int((array("mu", mu, ("n", "latents")).var(axis=0) > number("threshold", threshold)).sum())


def _check(mu: ArrayLike, factors: ArrayLike) -> tuple[Floats, Floats]:
    n = max([2, *array("mu", mu, finite=False).shape[:1]])
    return _rows("mu", mu, n, 2).astype(float), _rows("factors", factors, n, 1).astype(float)


def _rows(name: str, values: ArrayLike, n: int, columns: int) -> Floats:
    """Return a copy of the values, if they are so many rows of at least so many finite columns."""
    array(name, values, finite=False)
    rows = np.array(values)
    if rows.ndim != 2 or len(rows) != n or rows.shape[1] < columns:
        raise ValueError(f"{name}: need shape ({n}, {columns} or more), got {rows.shape}")
    array(name, rows)
    return rows


def _kinds(truths: Floats, continuous: Kinds) -> list[bool]:
    """Return whether each factor is continuous, and warn of those for which neither answer means anything."""
    n, k = truths.shape
    distinct = np.array([len(np.unique(truth)) for truth in truths.T])
    said = np.asarray(distinct > _FACTOR_BINS if continuous is None else continuous)
    if said.dtype != bool or said.shape not in ((), (k,)):
        raise ValueError(f"continuous: need True, False, None or a list of {k} of them, got {shortened(continuous)}")
    kinds: list[bool] = np.broadcast_to(said, k).tolist()
    for column, (truth, values, kind) in enumerate(zip(truths.T, distinct, kinds, strict=True)):
        if kind and continuous is None and values <= n / 2:
            text = f"has {values} different values in {n} rows and is taken as continuous; say continuous=True or False"
        elif kind and values > 1 and (fullest := np.bincount(_bins(truth, _FACTOR_BINS)).max()) > 0.9 * n:
            text = f"has {fullest} of {n} rows in one of {_FACTOR_BINS} equal bins, for others lie far away"
        elif not kind and values > _CODE_BINS:
            text = f"has {values} classes, too many for {_CODE_BINS} bins of a latent; a quantity needs continuous=True"
        else:
            continue
        warnings.warn(f"factors: column {column} {text}", stacklevel=3)
    return kinds


def _classes(truths: Floats, kinds: list[bool]) -> list[Labels]:
    pairs = zip(truths.T, kinds, strict=True)
    return [_bins(t, _FACTOR_BINS) if kind else np.unique(t, return_inverse=True)[1] for t, kind in pairs]


def _varying(classes: list[Labels], rows: int) -> list[Labels]:
    """Return the classes, if each factor has two or more of them in the first rows."""
    for column, labels in enumerate(classes):
        if (labels[:rows] == labels[0]).all():
            raise ValueError(f"factors: column {column} is constant in {rows} rows; need at least 2 values")
    return classes


def _shuffled(codes: Floats, truths: Floats) -> tuple[Floats, Floats]:
    """Return the rows in an order that looks random and depends on what they hold, not on the order of the latents."""
    keys = np.hstack([codes, np.sort(np.abs(codes), axis=1), truths])
    order = np.lexsort(keys.T)[np.random.default_rng(0).permutation(len(codes))]
    return codes[order], truths[order]


def _information(codes: Floats, classes: list[Labels]) -> Floats:
    if (n := len(codes)) < _CODE_BINS * _FACTOR_BINS:
        text = f"mu: {n} rows in {_CODE_BINS} × {_FACTOR_BINS} bins make the information far too large; take thousands"
        warnings.warn(text, stacklevel=3)
    bins = [_bins(code, _CODE_BINS) for code in codes.T]
    return np.array([[mutual_information(_joint(b, labels)) for labels in classes] for b in bins])


def _bins(values: Floats, n: int) -> Labels:
    """Return in which of ``n`` equal bins, from the least to the greatest value, each value lies."""
    return np.digitize(values, np.linspace(values.min(), values.max(), n + 1)[1:-1])


def _joint(a: Labels, b: Labels) -> Floats:
    """Return the share ``(max a + 1, max b + 1)`` of rows with each pair of labels."""
    shape = a.max() + 1, b.max() + 1
    return np.bincount(a * shape[1] + b, minlength=shape[0] * shape[1]).reshape(shape) / len(a)


def _learning_rows(n: int, train: float) -> int:
    rows = ceil(n * number("train", train))
    if not 0 < rows < n:
        raise ValueError(
            f"train: need a share of {n} rows that leaves some to learn from and some to test, got {train}"
        )
    return rows


def _concentration(weights: Floats) -> float:
    """Return how far below its maximum the entropy of each row's shares lies, averaged by the weight of the rows."""
    shares = weights + 1e-11  # those of a dead latent are even, and its weight is 0
    below = 1 - entropy(shares / shares.sum(axis=1, keepdims=True), base=weights.shape[1])
    return float(np.average(below, weights=weights.sum(axis=1) if weights.any() else None))


def _line_scores(codes: Floats, truth: Floats, rows: int) -> Floats:
    """Return R² (latents,) on the rows after the first ones, of the line that fits these best; 0 where it is worse."""
    x, y = codes - codes[:rows].mean(axis=0), truth - truth[:rows].mean()
    moves = codes.var(axis=0, ddof=1) > 1e-12
    slopes = np.divide(y[:rows] @ x[:rows], (x[:rows] ** 2).sum(axis=0), out=np.zeros(len(moves)), where=moves)
    errors, spread = ((y[rows:, None] - slopes * x[rows:]) ** 2).sum(axis=0), ((y[rows:] - y[rows:].mean()) ** 2).sum()
    return np.maximum(1 - errors / spread, 0) if spread > 0 else np.zeros(len(moves))


def _accuracies(codes: Floats, labels: Labels, rows: int) -> Floats:
    machine, columns = LinearSVC(C=0.01, class_weight="balanced"), codes.T[:, :, None]
    return np.array([machine.fit(c[:rows], labels[:rows]).score(c[rows:], labels[rows:]) for c in columns])


def _draw(sample: Sample, n: int, rng: Generator) -> Floats:
    return _rows("sample", function("sample", sample)(n, rng), n, 2)


def _encode(represent: Represent, factors: Floats) -> Floats:
    return _rows("represent", function("represent", represent)(factors), len(factors), 1)


def _probe(represent: Represent, sample: Sample, n: int, rng: Generator, sizes: tuple[int, ...]) -> tuple[Floats, int]:
    """Return the codes of ``n`` draws and the number of factors, if there is something to tell apart."""
    for name, size in zip(("batch", "train", "test", "variances"), sizes, strict=False):
        whole(name, size, 2)
    factors = _draw(sample, n, generator("rng", rng))
    if constant := np.flatnonzero((factors == factors[0]).all(axis=0)).tolist():
        raise ValueError(
            f"sample: factors {constant} are constant, need ones that vary, or holding one fixed says nothing"
        )
    return _encode(represent, factors), factors.shape[1]
