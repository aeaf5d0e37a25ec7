"""Scores that say how well a model's latents match the factors behind the pictures.

Each equals the one of disentanglement_lib (Locatello et al. 2019, "Challenging common assumptions in the unsupervised
learning of disentangled representations"), whose factors are all classes. Here a factor with at most 10 different
values, or half as many as rows, is a set of classes; any other is continuous, and put into 10 equal bins where a score
needs classes. A latent that never moves is legal and counts as one that knows nothing.
"""

from collections.abc import Callable
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from .arguments import array, number, shortened
from .information import entropy, mutual_information

Floats = NDArray[np.floating]
Labels = NDArray[np.intp]
Represent = Callable[[Floats], ArrayLike]  # factors (n, k) -> codes (n, latents), through pictures of them
Sample = Callable[[int, Generator], ArrayLike]  # n, rng -> factors (n, k)


class DCI(NamedTuple):
    """What ``dci`` returns, each at best 1: one factor a latent, one latent a factor, classes told from the code."""

    disentanglement: float
    completeness: float
    informativeness: float


def mi_matrix(mu: ArrayLike, factors: ArrayLike) -> Floats:
    """Return the mutual information ``(latents, factors)`` in nats between each latent's mean and each factor.

    ``mu`` is ``(n, latents)``, each put into 20 equal bins; ``factors`` is ``(n, k)``. Counted shares make it too
    large by about (bins − 1)(classes − 1)/2n: take thousands of rows. Raises ``ValueError`` when the shapes do not
    match, rows or latents are fewer than 2 or a value is not finite.
    """
    codes, truths = _check(mu, factors)
    bins, classes = [_bins(code, 20) for code in codes.T], [_classes(truth) for truth in truths.T]
    return np.array([[mutual_information(_joint(b, labels)) for labels in classes] for b in bins])


def mig_gaps(mu: ArrayLike, factors: ArrayLike) -> Floats:
    """Return the gap ``(factors,)`` between the two latents that know most of a factor, as a share of its entropy.

    Chen et al. (2018), "Isolating sources of disentanglement in VAEs", §4. Raises ``ValueError`` as ``mi_matrix``
    does, and for a constant factor, which has no entropy to share.
    """
    informed = np.sort(mi_matrix(mu, factors), axis=0)
    classes = _varying(np.asarray(factors), len(np.asarray(mu)))
    return (informed[-1] - informed[-2]) / [entropy(np.bincount(labels) / len(labels)) for labels in classes]


def mig(mu: ArrayLike, factors: ArrayLike) -> float:
    """Return the mutual information gap, the mean of ``mig_gaps``: at best 1, without a unit."""
    return float(mig_gaps(mu, factors).mean())


def dci(mu: ArrayLike, factors: ArrayLike, *, train: float = 2 / 3) -> DCI:
    """Return disentanglement, completeness and informativeness of ``mu`` (n, latents) about ``factors`` (n, k).

    Eastwood & Williams (2018), "A framework for the quantitative evaluation of disentangled representations", §2:
    gradient-boosted trees learn each factor's classes from the first rows, a share ``train`` of all, and the latents
    that they split by are the important ones; informativeness is the share of the other rows that they get right.
    A factor of ten classes takes about 3 s for 1,000 rows of 25 latents, in proportion to each of the three.
    Raises ``ValueError`` as ``mig_gaps`` does, for a single factor and for a share that leaves one part empty.
    """
    codes, truths = _check(mu, factors)
    if truths.shape[1] < 2:
        raise ValueError("factors: DCI needs at least 2 to tell apart, got 1")
    rows = _learning_rows(len(codes), train)
    importance, right = [], []
    for labels in _varying(truths, rows):
        trees = GradientBoostingClassifier(random_state=0).fit(codes[:rows], labels[:rows])
        importance.append(trees.feature_importances_)
        right.append(trees.score(codes[rows:], labels[rows:]))
    weights = np.array(importance).T
    return DCI(_concentration(weights), _concentration(weights.T), float(np.mean(right)))


def sap(mu: ArrayLike, factors: ArrayLike, *, train: float = 2 / 3, continuous: bool | None = None) -> float:
    """Return the separated attribute predictability of ``factors`` (n, k) from single columns of ``mu`` (n, latents).

    Kumar et al. (2018), "Variational inference of disentangled latent concepts from unlabeled observations", §3: the
    gap between the two latents that predict a factor best, averaged over factors. A continuous factor is predicted as
    well as the squared correlation over all rows says; classes, by a linear support vector machine that learns from
    the first rows, a share ``train`` of all, as well as it does on the others. ``continuous`` treats all factors in
    one way. Raises ``ValueError`` as ``mig_gaps`` does, and for a share that leaves one part empty.
    """
    codes, truths = _check(mu, factors)
    rows, scores = _learning_rows(len(codes), train), []
    for truth, labels in zip(truths.T, _varying(truths, rows), strict=True):
        linear = _is_continuous(truth) if continuous is None else continuous
        scores.append(_squared_correlations(codes, truth) if linear else _accuracies(codes, labels, rows))
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
    codes = _rows("mu", mu, n, 2)
    return codes.astype(np.result_type(codes, np.float32)), _rows("factors", factors, n, 1).astype(float)


def _rows(name: str, values: ArrayLike, n: int, columns: int) -> Floats:
    """Return a copy of the values, if they are so many rows of at least so many finite columns."""
    array(name, values, finite=False)
    rows = np.array(values)
    if rows.ndim != 2 or len(rows) != n or rows.shape[1] < columns:
        raise ValueError(f"{name}: need shape ({n}, {columns} or more), got {rows.shape}")
    array(name, rows)
    return rows


def _is_continuous(truth: Floats) -> bool:
    return len(np.unique(truth)) > max(10, len(truth) // 2)


def _classes(truth: Floats) -> Labels:
    return _bins(truth, 10) if _is_continuous(truth) else np.unique(truth, return_inverse=True)[1]


def _varying(truths: Floats, rows: int) -> list[Labels]:
    """Return the classes of each factor, if it has two or more of them in the first rows."""
    classes = [_classes(truth) for truth in truths.T]
    for column, labels in enumerate(classes):
        if (labels[:rows] == labels[0]).all():
            raise ValueError(f"factors: column {column} is constant in the first {rows} rows; need at least 2 values")
    return classes


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
            f"train: need a share that parts {n} rows into some to learn from and some to test, got {train}"
        )
    return rows


def _concentration(weights: Floats) -> float:
    """Return how far below its maximum the entropy of each row's shares lies, averaged by the weight of the rows."""
    shares = weights + 1e-11  # those of a dead latent are even, and its weight is 0
    below = 1 - entropy(shares / shares.sum(axis=1, keepdims=True), base=weights.shape[1])
    return float(np.average(below, weights=weights.sum(axis=1) if weights.any() else None))


def _squared_correlations(codes: Floats, truth: Floats) -> Floats:
    x, y = codes - codes.mean(axis=0, dtype=float), truth - truth.mean()
    moves = x.var(axis=0, ddof=1) > 1e-12
    return np.divide((y @ x) ** 2, (x**2).sum(axis=0) * (y @ y), out=np.zeros(len(moves)), where=moves)


def _accuracies(codes: Floats, labels: Labels, rows: int) -> Floats:
    machine, columns = LinearSVC(C=0.01, class_weight="balanced"), codes.T[:, :, None]
    return np.array([machine.fit(c[:rows], labels[:rows]).score(c[rows:], labels[rows:]) for c in columns])


def _draw(sample: Sample, n: int, rng: Generator) -> Floats:
    return _rows("sample", sample(n, rng), n, 2)


def _encode(represent: Represent, factors: Floats) -> Floats:
    return _rows("represent", represent(factors), len(factors), 1)


def _probe(represent: Represent, sample: Sample, n: int, rng: Generator, sizes: tuple[int, ...]) -> tuple[Floats, int]:
    """Return the codes of ``n`` draws and the number of factors, if there is something to tell apart."""
    if any(not isinstance(size, int | np.integer) or size < 2 for size in sizes):
        raise ValueError(f"batch, train, test and variances: need at least 2 of each, got {shortened(sizes)}")
    factors = _draw(sample, n, rng)
    if constant := np.flatnonzero((factors == factors[0]).all(axis=0)).tolist():
        raise ValueError(f"sample: factors {constant} are constant, so holding one fixed changes nothing")
    return _encode(represent, factors), factors.shape[1]
