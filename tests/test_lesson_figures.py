"""The figures of the lessons show numbers that were computed in another way, for any values of their sliders."""

import re
from functools import partial

import numpy as np
import pytest
from equations import covers
from scipy.optimize import minimize
from scipy.special import softmax
from scipy.stats import chi2, entropy, norm
from sklearn.cluster import KMeans

from vaehelpers import inference, mixtures
from vaehelpers.lessons import lesson01, lesson02, lesson03, lesson04, lesson05, lesson06, lesson07, lesson08
from vaehelpers.linear_gaussian import LinearGaussian
from vaehelpers.metrics import mi_matrix, mig

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2)) + np.repeat([[0, 0], [4, 1], [0, 5]], 20, axis=0)
START = mixtures.GaussianMixture([0.3, 0.3, 0.4], [[0, 1], [1, 0], [1, 4]], [np.eye(2)] * 3)
BOUNDS = [step.bound for step in mixtures.em(X, START, max_iter=4)]
HOURS = np.linspace(-5, 25, 301)
MACHINE = inference.NoisyOr([0.1, 0.3], [0.05, 0.05, 0.05], [[0.9, 0.5, 0], [0, 0.4, 0.7]])
ONE_LATENT = LinearGaussian(np.array([[2.0]]), np.zeros(1), 1.0)  # with the posterior N(1, 0.2) at x = 2.5
NIGHTS = np.random.default_rng(0).normal(3, 1, 30)
FACTORS = RNG.uniform(size=(1000, 2))
CODES = np.column_stack([FACTORS + 0.05 * RNG.standard_normal((1000, 2)), RNG.standard_normal(1000)])
CODES_KL = (CODES**2 + np.exp(-3) + 3 - 1).sum(axis=1).mean() / 2


def distance(theta):
    return 0.5 + (theta[0] - 8) ** 2 + theta[1] ** 2


place_gaussian = partial(
    lesson02.place_gaussian, HOURS, norm.logpdf(HOURS, 8, 1), distance, lambda theta: 2 * distance(theta)
)
diagnosis = partial(lesson03.diagnosis, MACHINE, ["fuse", "pump"], ["dark", "cold", "wet"], seen=[0, 0, 1])
hard_and_soft = partial(lesson04.hard_and_soft, X, START, names=("a", "b"))
em_steps = partial(lesson04.em_steps, X, START, names=("a", "b"), iterations=4)
four_causes = partial(lesson05.four_causes, np.log([0.1, 0.1, 0.2]), ["a", "b", "c"], [0.3, 0.3, 0.4])
turned_latents = partial(
    lesson07.turned_latents, CODES, np.full((1000, 3), -3.0), FACTORS, names=("a", "b"), labels=("z0", "z1", "z2")
)
em_bounds = partial(
    lesson05.em_bounds,
    lambda theta: np.log(0.5) + norm.logpdf(NIGHTS[:, None], [0, theta]),
    lambda resp: np.sum(resp[:, 1] * NIGHTS) / resp[:, 1].sum(),
    low=-2, high=6, start=0.0,
)  # fmt: skip
small_variance = partial(lesson04.small_variance, X, np.array([[0.0, -1.0], [4.0, 0.0]]), names=("a", "b"))
one_latent = partial(lesson05.one_latent, ONE_LATENT, [[2.5]])
rate_limit = partial(lesson07.rate_limit, [4, 2, 1, 0.5, 0.25])
#: All figures under sliders.
LIVES = [
    *(lesson01.two_weathers, lesson01.four_weathers, lesson01.wrong_code, lesson01.barometer),
    *(lesson01.narrow_gaussian, lesson02.both_directions, place_gaussian),
    *(diagnosis, lesson03.universe, lesson03.gaussian_steps, hard_and_soft, small_variance, em_steps),
    *(four_causes, em_bounds, one_latent, lesson05.factorised, lesson06.overlap_lab),
    *(lesson07.beta_calculator, rate_limit, turned_latents),
]


def texts(figure):
    """Return all titles and texts of a figure."""
    titles = [ax.get_title(place) for ax in figure.axes for place in ("left", "center")]
    return " | ".join(titles + [text.get_text() for ax in figure.axes for text in ax.texts]) + " |"


def shown(live, **values):
    """Set sliders to these values, and return the texts of their figure."""
    for name, value in values.items():
        live.controls[name].value = value
    return texts(live.figure)


def bits(*p):
    return entropy(p, base=2)


def turned(angle):
    cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    return np.column_stack([CODES[:, :2] @ [[cosine, sine], [-sine, cosine]], CODES[:, 2]])


SHARED = 2 * bits(0.11, 0.89) - bits(0.06105, 0.04895, 0.04895, 0.84105)
EXTRA = entropy([0.3, 0.7], [0.9, 0.1], base=2)
KLS = [f"KL(p ‖ q) = {entropy([0.7, 0.3], [0.2, 0.8]):.3f} ", f"KL(q ‖ p) = {entropy([0.2, 0.8], [0.7, 0.3]):.3f} nats"]

#: A figure, the values of its sliders, and texts that it must show.
SLIDERS = [
    (lesson01.two_weathers, {"p": 0.11}, [f"entropy {bits(0.11, 0.89):.2f} bits", "total area = 0.50 bits"]),
    (lesson01.four_weathers, {"sun": 3, "cloud": 3, "rain": 3, "storm": 3}, ["total area = 2.00 bits"]),
    (lesson01.wrong_code, {"p": 0.3, "q": 0.9}, [f"entropy {bits(0.3, 0.7):.2f} + extra {EXTRA:.2f} bits"]),
    (lesson01.barometer, {"rain": 0.11, "dependence": 0.5}, [f"{SHARED:.2f} bits", "0.06 | 0.05 | 0.05 | 0.84"]),
    (lesson01.narrow_gaussian, {"sigma": 0.24}, ["h = −0.01 nats"]),
    (lesson02.both_directions, {"p": 0.7, "q": 0.2}, KLS),
    (place_gaussian, {"mean": 9, "sd": 1}, ["KL(p ‖ q) = 1.500 nats", "KL(q ‖ p) = 3.000 nats"]),
    (diagnosis, {"symptom_2": False}, ["seen: nothing unusual"]),
    (lesson03.universe, {"unknowns": 25, "computers": 20, "speed": 10, "seconds": 30}, ["10^{-10.54}"]),
    (lesson03.gaussian_steps, {"rho": -0.8, "step": 0}, ["the start", "q 0.36 = 1 − ρ²"]),
    (lesson03.gaussian_steps, {"rho": -0.8, "step": 4}, ["step 4: z₂ moved", "q 0.36 = 1 − ρ²"]),
    (em_steps, {"half_step": 3}, ["iteration 2, M-step", f"nats, up by {BOUNDS[3] - BOUNDS[2]:.3f}"]),
    (hard_and_soft, {"half_step": 3}, ["k-means, iteration 2: new means", "mixture, iteration 2: new weighted means"]),
    (four_causes, {"weight_0": 1, "weight_1": 0.5, "weight_2": 0.5}, [f"+ KL {entropy([2, 1, 1], [1, 1, 2]):.3f} ="]),
    (one_latent, {"mean": 1, "sd": 0.45}, ["+ KL 0.000 = −2.349"]),
    (lesson05.factorised, {"noise": 1}, ["posterior: −0.500", f"optimum: {-np.log(0.75) / 2:.3f} nats"]),
    (lesson07.beta_calculator, {"latents": "sum", "pixels": "sum", "sigma": 0.5, "weight": 2}, ["=  200 |"]),
    (lesson07.beta_calculator, {"error": "Bernoulli", "pixels": "sum"}, ["=  0.04 |"]),
    (lesson07.beta_calculator, {"pixels": "sum", "batch": "mean of error only"}, ["/ (1 · 2 · 1² / 64)  =  1.28"]),
    (lesson07.beta_calculator, {"pixels": "sum", "batch": "mean of KL only"}, ["=  0.0003125"]),
    (turned_latents, {"angle": 30}, [f"KL {CODES_KL:.4f} nats, as before;  MIG {mig(turned(30), FACTORS):.3f}"]),
    (turned_latents, {"angle": 30}, [f"{value:.2f}" for value in mi_matrix(turned(30), FACTORS).ravel()]),
]


@pytest.mark.parametrize(("figure", "values", "expected"), SLIDERS)
def test_a_figure_shows_the_numbers_of_its_sliders(figure, values, expected):
    found = shown(figure(), **values)
    assert [text for text in expected if text not in found] == [], found


P4, Q4 = np.array([0.3, 0.2, 0.4, 0.1]), np.array([0.09, 0.16, 0.52, 0.23])
TWO_DENSITIES = [norm.pdf(HOURS, 12, 1.5), norm.pdf(HOURS, 10, 3)]
PARTS = {"information": [1.0, 3, 2], "correlation": [0.5, 0.5, 1], "KL": [0, 0, 0.5]}
#: A plot and a text that it must show.
TITLES = [
    (lambda: lesson01.plot_code([0.5, 0.3, 0.2], "abc", ["0", "10", "11"], title="abc"), "1.49, mean length 1.50 bits"),
    (lambda: lesson02.plot_chord(P4, Q4), f"−KL(p ‖ q) = −{entropy(P4, Q4):.3f}"),
    (lambda: lesson02.plot_divergences([-0.1, 0.2]), "2 random pairs: 1 below zero"),
    (lambda: lesson02.plot_integrand(HOURS, *TWO_DENSITIES), f"= {np.log(2) + (1.5**2 + 2**2) / 18 - 0.5:.3f} nats"),
    (lambda: lesson05.plot_balance([-9.0], -2.0, labels=["a"], floor=-4), "KL 7.000"),
    (lambda: lesson07.plot_kl_parts([1, 1, 4], PARTS), "2.5 | 3.5"),
]


@pytest.mark.parametrize(("plot", "text"), TITLES)
def test_a_plot_shows_a_number(plot, text):
    assert text in texts(plot().figure)


def paths():
    ax = lesson02.plot_landscape([4, 16], [0.2, 5], np.ones((2, 2)), title="here")
    return lesson02.plot_paths([[[5.0, 0.0], [9.0, np.log(2)]]], ax=ax)


#: A plot, and the points of one of its lines.
LINES = [
    (lambda: lesson02.plot_likelihood(rain=2, days=8), 2, [[0.25, entropy([1, 3])]]),
    (paths, 0, [[5, 1], [9, 2]]),
    (lambda: lesson03.plot_cost([8, 10], [0.016, 0.064], {}), 0, [[10, 0.064], [120, 0.064 * 2**110]]),
    (lambda: lesson03.plot_traces([[1], [1], [0]], exact=0.4, burn_in=2), 0, [[1, 1], [2, 1], [3, 2 / 3]]),
    (lambda: lesson05.plot_two_signs([-3.0, -2.5], [1.0, 0.5], -2.0), 2, [[1, -4], [0.5, -3]]),
    (lambda: lesson06.plot_bounds([1, 10], [-100, -98], [0.5, 0.25], -96), 2, [[1, -101], [10, -98.5]]),
    (lambda: lesson07.plot_sweep([1, 1, 1, 4, 4, 4], [1, 1, 4, 2, 3, 7], name="score"), 0, [[1, 2], [4, 4]]),
    (lambda: lesson07.plot_rate_distortion([1, 8], [5, 0], [190, 230], best=195), -1, [[0, 195], [5, 190]]),
    (lambda: lesson08.plot_elbos({"new": np.zeros((2, 1, 4, 4))}, {"new": [-3, -1]}), 1, [[-2, -0.3], [-2, 0.3]]),
]


@pytest.mark.parametrize(("plot", "number", "points"), LINES)
def test_a_line_has_its_points(plot, number, points):
    np.testing.assert_allclose(plot().lines[number].get_xydata(), points)


def test_the_circle_on_the_map_of_codes_holds_95_percent_of_the_prior():
    (circle,) = lesson06.plot_code_map([[0, 0]], np.zeros((2, 2)), (-3, 3, -3, 3), 4.0).patches
    assert chi2(2).cdf(circle.get_radius() ** 2) == pytest.approx(0.95)


@pytest.mark.parametrize(("inspected", "row"), [("not inspected", [0, 1]), ("it is so", [1]), ("it is not so", [0])])
def test_a_diagnosis_conditions_on_the_inspected_cause(inspected, row):
    live = diagnosis()
    live.controls["inspected"].value = inspected
    states = inference.binary_states(2)
    kept = states[np.isin(states[:, 0], row)]
    posterior, _ = inference.enumerate_posterior(MACHINE.log_joint(kept, [0, 0, 1]))
    bars, prior = live.figure.axes[0].containers
    np.testing.assert_allclose([bar.get_width() for bar in bars], posterior @ kept)
    np.testing.assert_allclose([bar.get_width() for bar in prior], MACHINE.prior)


@pytest.mark.parametrize("rounds", [1, 2])
def test_k_means_beside_em_is_that_of_scikit_learn(rounds):
    live = hard_and_soft()
    live.controls["half_step"].value = 2 * rounds - 1
    peer = KMeans(3, init=START.means, n_init=1, max_iter=rounds, tol=0).fit(X)
    places = [text.get_position() for text in live.figure.axes[0].texts]
    np.testing.assert_allclose(places, peer.cluster_centers_)


def test_a_mean_without_points_stays():
    corner = X.max(axis=0)
    start = mixtures.GaussianMixture([0.25] * 4, [[0, 0], [4, 1], [0, 5], corner], [9 * np.eye(2)] * 4)
    live = lesson04.hard_and_soft(X, start, names=("a", "b"))
    np.testing.assert_allclose(live.figure.axes[0].texts[3].get_position(), corner)


@covers("04 cell-026-3 0 3ec3e0", "Bishop (2006), §9.3.2")
@pytest.mark.parametrize("sigma", [0.05, 0.4, 1.5])
def test_a_small_variance_makes_soft_assignments_hard(sigma):
    """The curve of the lesson's figure against Bayes' rule with SciPy's normal densities."""
    centres = np.array([[0.0, -1.0], [4.0, 0.0]])
    live = lesson04.small_variance(X, centres, names=("a", "b"))

    def responsibilities(x):
        return softmax([norm.logpdf(x, centre, sigma).sum(axis=1) for centre in centres], axis=0)

    uncertain = (responsibilities(X).max(axis=0) < 0.99).sum()
    assert f"σ = {sigma:.2f}: {uncertain} of 60 points" in shown(live, sigma=sigma)
    where, soft = live.figure.axes[1].lines[1].get_data()
    on_the_line = responsibilities(centres[0] + where[:, None] * (centres[1] - centres[0]))
    np.testing.assert_allclose(soft, on_the_line[1], rtol=1e-9, atol=1e-300)


def test_the_bounds_of_em_touch_from_below_and_lead_uphill():
    live = em_bounds()
    evidence, *bounds = [line.get_ydata() for line in live.figure.axes[0].lines if len(line.get_ydata()) > 1]
    assert len(bounds) == 2 and bounds[1].max() > bounds[0].max()
    for bound in bounds:
        assert (bound <= evidence + 1e-9).all() and (evidence - bound).min() < 0.05


def test_the_overlap_lab_shows_the_cost_of_its_sliders_and_of_each_way_out():
    lab = lesson06.overlap_lab()
    cost = lesson06.overlap_cost((0.5, 0.6), (1.0, 0.3), lesson06._DIFFERENT)
    numbers = f"{cost.lost:.2f} + {cost.kl.mean():.2f} = {cost.lost + cost.kl.mean():.2f}"
    found = shown(lab, sd_2=0.3, mean_1=0.5)
    assert numbers in found and f"overlap {cost.overlap:.2f}    KL of q₁ {cost.kl[0]:.2f}" in found
    for way in ("1 apart", "2 narrow", "3 similar"):
        assert numbers not in shown(lab, way=way)  # a button moves the sliders
        overlapping, *ways, now = [float(text.get_text().split("=")[1]) for text in lab.figure.axes[2].texts]
        assert now in ways and max(ways) < overlapping, "no way out"


def test_the_limit_on_the_rate_shows_the_best_rates_their_distortion_and_the_slope():
    """Against a numerical search over the rates for the least distortion within the limit."""
    variances, limit = np.array([3.0, 1.5, 0.2]), 2.0
    within = {"type": "ineq", "fun": lambda r: limit - r.sum()}
    options = {"bounds": [(0, None)] * 3, "constraints": within, "options": {"ftol": 1e-12}}
    best = minimize(lambda r: (variances * np.exp(-2 * r)).sum(), np.full(3, limit / 3), **options)
    live = lesson07.rate_limit(variances)
    numbers = re.findall(r"R at most (.+) nats: D = (.+), slope −β = −(.+?) ", shown(live, limit=limit))[0]
    slope = 2 * variances[0] * np.exp(-2 * best.x[0])
    np.testing.assert_allclose(np.array(numbers, float), [limit, best.fun, slope], atol=0.02)
    labels = [text.get_text() for text in live.figure.axes[1].texts]
    rates = [float(label.removesuffix(" nats")) for label in labels if label != "collapsed"]
    np.testing.assert_allclose(rates, best.x[best.x > 1e-4], atol=0.011)
