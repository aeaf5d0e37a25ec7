"""Two tables with one row per line: valid calls, and calls that must raise an error.

``test_bad_input`` puts invalid values into each array, number, whole number and tensor of the ``good`` rows. ``bad``
rows hold input that is invalid for one function only, and the beginning of the message.
"""

from pathlib import Path

import numpy as np
import torch

from vaehelpers import (
    bounds,
    datasets,
    evaluation,
    explorer,
    files,
    hands,
    inference,
    information,
    latents,
    linear_gaussian,
    metrics,
    mixtures,
    model,
    plots,
    sprites,
    training,
    weights,
)

GOOD, BAD = [], []


def good(function, **arguments):
    GOOD.append((function, arguments))


def bad(function, words, *positional, error=ValueError, **named):
    BAD.append((function, words, positional, named, error))


def rng():
    return np.random.default_rng(0)


HALF, EYE, NAN, INF = [0.5, 0.5], np.eye(2), float("nan"), float("inf")
X, LOG_HALF = rng().normal(size=(9, 2)), np.full((9, 2), np.log(0.5))
MIXTURE = mixtures.GaussianMixture(HALF, [[0, 0], [1, 1]], [EYE, EYE])
ROWS = rng().random((60, 3))  # codes, and factors that vary
LINEAR = linear_gaussian.LinearGaussian(np.ones((2, 1)), np.zeros(2), 1.0)
MACHINE = inference.NoisyOr([0.1, 0.2], [0.1], [[0.5], [0.4]])
with torch.random.fork_rng():  # keeps the state of torch's global generator
    VAE2, VAE3 = model.VAE(32, 2).eval(), model.VAE(32, 3)
FACE = np.full((2, 1, 32, 32), 0.5)
X4, MU, LOGITS = torch.zeros(3, 1, 4, 4), torch.zeros(3, 2), torch.zeros(5, 3)
BYTES = datasets.Images(np.zeros((4, 1, 32, 32), np.uint8), np.zeros((4, 0), np.float32), ())
NARROW, FLOATS = datasets.Images(BYTES.pixels[..., :16], None, ()), datasets.Images(FACE, None, ())
GRID = np.zeros((2, 3, 1, 4, 4))


# information
good(information.surprisal, p=HALF, base=2.0)
good(information.entropy, p=HALF, base=2.0, axis=-1)
good(information.cross_entropy, p=HALF, q=HALF, base=2.0, axis=-1)
good(information.kl_divergence, p=HALF, q=HALF, base=2.0, axis=-1)
good(information.mutual_information, joint=EYE / 2, base=2.0)
good(information.gaussian_kl, mu_q=[0], var_q=[1], mu_p=[0], var_p=[1])
good(information.huffman_code, frequencies={"a": 1})
bad(information.surprisal, "p: need values from 0 to 1, got -0.1", -0.1)
bad(information.surprisal, "base: need a number above 1, got 1", 0.5, base=1)
bad(information.entropy, r"p: need numbers of at least 0 that sum to 1, got \[1.5, -0.5\]", [1.5, -0.5])
bad(information.entropy, "p: need numbers .* that sum to 1, got .* a sum of 0.97", [0.5, 0.47])
bad(information.entropy, "axis: need a whole number from -1 to 0, got 1", HALF, axis=1)
bad(information.cross_entropy, r"p and q: need equally many events .*, got \(2,\) and \(3,\)", HALF, [0.5, 0.5, 0])
bad(information.kl_divergence, r"p, q: need shapes that broadcast, got \(2, 2\) and \(3, 2\)", [HALF] * 2, [HALF] * 3)
bad(information.entropy, "p: need .* that sum to 1 along axis 0, got .* a sum of 1.5", [HALF, [1, 0]], axis=0)
bad(information.mutual_information, "joint: need numbers .* that sum to 1, got .* a sum of 2", [HALF, [0.5, 0.5]])
bad(information.gaussian_kl, "var_q, var_p: need positive variances, got 1 and .1, 0.", 0, 1, 0, [1, 0])
bad(information.gaussian_kl, "var_q, var_p: need positive variances, got -1 and 1", 0, -1, 0, 1)
bad(information.gaussian_kl, r"mu_q, .*: need shapes that broadcast, got \(2,\)", [0, 0], [1, 1, 1], 0, 1)
bad(information.huffman_code, r"frequencies: need \(n,\), got \(0,\)", {})
bad(information.huffman_code, "frequencies: need weights of at least 0, got {'a': -1}", {"a": -1})
bad(information.huffman_code, "frequencies: need dict, got .1, 2.", [1, 2])
bad(information.huffman_code, "frequencies: every value must be finite", {"a": 1, "b": INF})

# inference
good(inference.enumerate_posterior, log_joint=[-1.0, -2.0])
good(inference.elbo, q=HALF, log_joint=[-1.0, -2.0])
good(inference.binary_states, n=3)
good(inference.factorised, q=HALF, states=[[0, 1]])
good(inference.NoisyOr, prior=[0.1], leak=[0.1], strength=[[0.5]])
good(MACHINE.log_joint, states=[[0, 1]], symptoms=[1])
good(inference.posterior_marginals, symptoms=[1], model=MACHINE)
good(inference.metropolis, start=[[0, 1]], steps=2, log_p=lambda z: z.sum(axis=1), rng=rng())
good(inference.mean_field, symptoms=[1], start=HALF, sweeps=2, model=MACHINE)
good(inference.gaussian_mean_field, mean=[0, 0], covariance=EYE, start=[1, 1], sweeps=2)
bad(inference.enumerate_posterior, r"log_joint: need at least one number, none NaN or \+inf", [0, INF])
bad(inference.enumerate_posterior, "log_joint: at least one state must be possible", [-INF, -INF])
bad(inference.elbo, r"q, log_joint: need \(1,\), got \(2,\)", HALF, [0])
bad(inference.elbo, "q: need numbers .* that sum to 1, got .* a sum of 0.9", [0.5, 0.4], [0, 0])
bad(inference.binary_states, "n: need a whole number from 0 to 24, got 25", 25)
bad(inference.factorised, "q: need values from 0 to 1, got 0.5 to 1.5", [0.5, 1.5], [[0, 1]])
bad(inference.factorised, r"states: need \(m, 2\), got \(1, 1\)", HALF, [[1]])
bad(inference.NoisyOr, "prior: need probabilities strictly between 0 and 1", [0.0], [0.1], [[0.5]])
bad(inference.NoisyOr, "leak: need probabilities strictly between 0 and 1, got 1 to 1", [0.1], [1.0], [[0.5]])
bad(inference.NoisyOr, r"strength: need probabilities in \[0, 1\), got 1 to 1", [0.1], [0.1], [[1.0]])
bad(inference.posterior_marginals, "symptoms: every value must be 0 or 1, got 0.5", MACHINE, [0.5])
bad(inference.metropolis, "start: every chain must start from", lambda z: -INF * z[:, 0], [[1]], 1, rng=rng())
bad(inference.metropolis, r"log_p: need \(1,\), got \(1, 1\)", lambda z: z, [[1]], 1, rng=rng())
bad(inference.mean_field, "start: need values from 0 to 1, got 0 to 2", MACHINE, [1], [2, 0])
bad(inference.mean_field, "model: need NoisyOr, got None", None, [1], [0.5])
bad(inference.metropolis, "log_p: need .*, none NaN", lambda z: [0 if z.any() else NAN], [[1]], 99, rng=rng())
MANY_CAUSES = inference.NoisyOr([0.1] * 31, [0.1], [[0.5]] * 31)
bad(inference.posterior_marginals, "model: need at most 30 causes to enumerate, got 31", MANY_CAUSES, [1])
bad(inference.mean_field, "model: need at most 25 causes of a symptom, got 31", MANY_CAUSES, [1], [0.5] * 31)
bad(inference.gaussian_mean_field, "covariance: need positive definite", [0, 0], [[1, 2], [2, 1]], [0, 0])

# mixtures
good(mixtures.GaussianMixture, weights=[1.0], means=[[0, 0]], covariances=[EYE])
good(MIXTURE.sample, n=2, rng=rng())
good(mixtures.k_means, x=X, k=2, n_init=1, max_iter=99, rng=rng())
good(mixtures.e_step, x=X, mixture=MIXTURE)
good(mixtures.log_joint_density, x=X, mixture=MIXTURE)
good(mixtures.m_step, x=X, log_resp=LOG_HALF)
good(mixtures.elbo, x=X, log_resp=LOG_HALF, mixture=MIXTURE)
good(lambda **given: list(mixtures.em(**given)), x=X, max_iter=2, start=MIXTURE)
good(mixtures.fit, x=X, tol=0.001, max_iter=300, start=MIXTURE)
good(mixtures.fit, x=X, tol=0.001, max_iter=300, n_init=2, start=2, rng=rng())
bad(mixtures.GaussianMixture, "weights: need .* that sum to 1, got .* a sum of 0.6", [0.6], [[0, 0]], [EYE])
bad(mixtures.GaussianMixture, "covariances: need positive definite", [1.0], [[0, 0]], [0 * EYE])
bad(mixtures.e_step, r"x: need \(n, 2\), got \(9, 1\)", X[:, :1], MIXTURE)
bad(mixtures.e_step, "x: every value must be finite, and at most 1e.150 in size, got 18 of 18", X * 1e300, MIXTURE)
bad(mixtures.e_step, "mixture: need GaussianMixture, got 2", X, 2)
bad(mixtures.m_step, "x: the columns are linearly dependent", X * [1, 0], LOG_HALF)
bad(mixtures.fit, "x: the columns are linearly dependent", X[:, [0, 0]], MIXTURE)
NEARLY, ON_TWO = X @ [[1, 1], [0, 1e-6]], np.where(np.arange(9)[:, None] < 2, [-INF, 0], [0, -INF])
bad(mixtures.m_step, "x: the columns are nearly linearly dependent: a component is flat", NEARLY, ON_TWO)
bad(mixtures.m_step, "x: need more rows than columns .*, got shape", X[:2], LOG_HALF[:2])
bad(mixtures.m_step, "log_resp: component 0 is responsible for nothing", X, LOG_HALF + [-INF, 0])
bad(mixtures.fit, "x: need standard deviations of at most 1e70, got", X * 1e75, MIXTURE)
bad(mixtures.fit, "start: need standard deviations of at most 1e7 times those of x, got", X * 1e-60, MIXTURE)
bad(mixtures.fit, "x: the columns are linearly dependent or constant", X * 1e-90, MIXTURE)
bad(mixtures.k_means, "k: need a whole number from 1 to 9, got 10", X, 10, rng=rng())
bad(mixtures.k_means, "rng: need a NumPy Generator, such as .*, got 0", X, 2, rng=0)
bad(mixtures.fit, "start: need a whole number from 1 to 9, got 0", X, 0, rng=rng())
bad(mixtures.fit, "tol: need a number of at least 0, got -1", X, MIXTURE, tol=-1)
bad(mixtures.k_means, "n_init: need a whole number of at least 1, got 0", X, 2, rng=rng(), n_init=0)
bad(mixtures.fit, "n_init: need a whole number from 1 to 1, got 3", X, MIXTURE, n_init=3)
bad(mixtures.elbo, r"log_resp: need \(9, 2\), got \(9, 3\)", X, MIXTURE, np.zeros((9, 3)))
bad(mixtures.elbo, "log_resp: need logarithms .*, at most 0 and not NaN, got 1", X, MIXTURE, np.ones((9, 2)))

# linear_gaussian, overlap
good(LINEAR.sample, n=2, rng=rng())
good(LINEAR.posterior, x=X)
good(LINEAR.log_evidence, x=X)
good(LINEAR.elbo_terms, x=X, mu_q=[0], cov_q=[[1]])
good(LINEAR.elbo, x=X, mu_q=[0], cov_q=[[1]])
good(LINEAR.gap, x=X, mu_q=[0], cov_q=[[1]])
good(linear_gaussian.LinearGaussian, weights=[[1], [1]], mean=[0, 0], variance=1.0)
good(linear_gaussian.fit, x=X, latent_dim=1)
bad(linear_gaussian.LinearGaussian, "variance: need a number above 0, got 0", np.ones((2, 1)), np.zeros(2), 0)
bad(LINEAR.gap, r"x, mu_q, cov_q: need shapes that broadcast, got \(9,\) and \(8,\)", X, np.zeros((8, 1)), [[1]])
bad(LINEAR.elbo, "cov_q: need positive definite matrices", X, [0], [[-1]])
bad(linear_gaussian.fit, "latent_dim: need a whole number from 1 to 1, got 2", X, 2)

# metrics
DRAWS = {"represent": lambda f: f, "sample": lambda n, rng: rng.random((n, 2)), "rng": rng()}
MANY = rng().random((240, 3))
good(metrics.mi_matrix, mu=MANY, factors=MANY, continuous=True)
good(metrics.mig_gaps, mu=MANY, factors=MANY, continuous=[True, True, True])
good(metrics.mig, mu=MANY, factors=MANY, continuous=None)
good(metrics.dci, mu=ROWS, factors=(4 * ROWS).round())
good(metrics.sap, mu=ROWS, factors=ROWS)
good(metrics.factor_vae_score, batch=8, train=8, test=8, variances=8, **DRAWS)
good(metrics.beta_vae_score, batch=8, train=20, test=8, **DRAWS)
good(metrics.active_units, mu=ROWS)
bad(metrics.mig, r"factors: need \(5, k\), got \(4, 2\)", ROWS[:5], ROWS[:4, :2])
bad(metrics.mig, r"mu: need at least 4 rows and 2 latents, got shape \(1, 3\)", ROWS[:1], ROWS[:1])
bad(metrics.mig, "factors: column 0 is constant in 60 rows; need at least 2 values", ROWS, 0 * ROWS)
bad(metrics.mig, "continuous: need True, False, None or a list of 3 of them, got 1", MANY, MANY, continuous=1)
bad(metrics.dci, "factors: need at least 2 columns for DCI, got 1", ROWS, ROWS[:, :1])
bad(metrics.factor_vae_score, "batch: need a whole number of at least 2, got 1", **DRAWS, batch=1)
bad(metrics.beta_vae_score, r"represent: need \(64, latents\), got \(\d,\)", **DRAWS | {"represent": lambda f: f[0]})
bad(metrics.beta_vae_score, "sample: need .* got constant", **DRAWS | {"sample": lambda n, rng: np.ones((n, 2))})
bad(metrics.factor_vae_score, "sample: need at least 2 f", **DRAWS | {"sample": lambda n, rng: rng.random((n, 1))})

# latents, model, bounds
good(latents.encode, images=FACE, model=VAE2)
good(latents.decode, z=[[0, 0]], model=VAE2)
good(latents.latent_kl, mu=ROWS, logvar=ROWS)
good(latents.kl_parts, mu=ROWS, logvar=ROWS, rng=rng())
good(latents.traverse, z=[0, 0], low=-1.0, high=1.0, steps=2, model=VAE2, dims=(1,))
good(latents.interpolate, start=[0, 1], end=[1, 0], steps=2)
good(latents.manifold, side=2, model=VAE2)
good(model.VAE, size=32, latent_dim=2, channels=1)
good(model.Encoder, size=32, latent_dim=2, channels=1)
good(model.Decoder, size=32, latent_dim=2, channels=1)
good(model.reparameterise, mu=MU, logvar=MU)
good(model.elbo_terms, x=X4, logits=X4, mu=MU, logvar=MU)
good(model.total_correlation, z=MU, mu=MU, logvar=MU)
DECODER = {"decoder": lambda z: z[:, :1, None, None].expand(-1, 1, 4, 4)}
good(bounds.log_weights, samples=2, x=X4, mu=MU, logvar=MU, **DECODER)
good(bounds.importance_bound, k=2, log_weights=LOGITS)
good(bounds.refine, learning_rate=0.1, steps=1, samples=1, x=X4, mu=MU, logvar=MU, **DECODER)
good(bounds.grid_log_evidence, reach=4.0, side=3, x=X4, **DECODER)
bad(latents.encode, r"images: need \(n, 1, 32, 32\), got \(2, 1, 64, 64\)", VAE2, np.zeros((2, 1, 64, 64)))
bad(latents.encode, "images: need values from 0 to 1, got 0 to 255", VAE2, FACE * [[[[0], [510]] * 16]])
bad(latents.decode, r"z: need \(n, 2\), got \(1, 3\)", VAE2, [[0, 0, 0]])
bad(latents.latent_kl, r"logvar: need \(60, 3\), got \(60, 2\)", ROWS, ROWS[:, 1:])
bad(latents.kl_parts, "logvar: need logarithms from -300 to 300, got .* to 1000", ROWS, ROWS * 0 + 1000, rng=rng())
bad(latents.unmix, "images: need at least 1000 images, got 2", VAE2, FACE)
bad(latents.traverse, "model: need VAE, got 'hands'", "hands", [0, 0])
bad(latents.traverse, "dims: need a whole number from 0 to 1, got 2", VAE2, [0, 0], [2])
bad(latents.interpolate, r"start, end: need \(2,\), got \(1,\)", [1, 2], [1])
bad(latents.manifold, "model: a manifold needs 2 latents, this model has 3", VAE3)
bad(model.VAE, "size: need 32 or 64 pixels, got 48", 48)
bad(model.VAE, r"channels: need 1 \(grey\) or 3 \(colour\), got 2", 32, 2, 2)
bad(model.elbo_terms, r"x, logits: need \(3, 2\), got \(3, 1, 4, 4\)", X4, MU, MU, MU)
bad(model.total_correlation, r"z, mu: need \(n, 2\), got \(5, 3\)", LOGITS, MU, MU)
bad(model.elbo_terms, r"x, mu: need \(3, latent_dim\), got \(5, 3\)", X4, X4, LOGITS, LOGITS)
bad(model.elbo_terms, "x, logits: need Tensor, got array", X4.numpy(), X4, MU, MU)
bad(model.reparameterise, "generator: need Generator, got 0", MU, MU, generator=0)
bad(bounds.grid_log_evidence, r"x, decoder: need \(\d+, 1, 4, 4\), got", X4, lambda z: z[:, :, None, None])
bad(bounds.importance_bound, "k: need a whole number from 1 to 5, got 6", LOGITS, 6)

# training, weights, evaluation
TINY = {"images": BYTES, "beta": 1.0, "progress": False}
NUMBERS = dict(beta=1.0, tc_weight=0.0, warmup=0.2, capacity=1.0, learning_rate=1e-3, minutes=1e-9)
WHOLE = dict(latent_dim=1, seed=0, pictures=1, batch=1)
good(training.train, **NUMBERS, **WHOLE, codes=np.zeros((4, 1)), codes_weight=1.0, images=BYTES, progress=False)
NOTHING = datasets.Images(BYTES.pixels[:0], None, ())
bad(training.train, r"images: need bytes .*, got uint8 \(0, 1, 32, 32\)", NOTHING, beta=1)
bad(training.train, "images: need bytes .*, got float64", FLOATS, beta=1)
bad(training.train, "images: need Images, got array", FACE, beta=1)
bad(training.train, r"images: need bytes .*, got uint8 \(4, 1, 32, 16\)", NARROW, beta=1)
bad(training.train, "minutes: need a number above 0, got -1", **TINY, minutes=-1)
SWEEP = {"images": BYTES, "betas": [1.0], "seeds": [0], "folder": "x", "score": len, "progress": False}
bad(training.sweep, "seeds: need a whole number of at least 0, got 0.5", **SWEEP | {"seeds": [0.5]})
bad(training.sweep, "score: need a function, got None", **SWEEP | {"score": None})
bad(training.train, r"codes: need \(4, 2\), got \(3, 2\)", **TINY, latent_dim=2, codes=np.zeros((3, 2)))
bad(training.train, "start: need VAE, got 'hands'", **TINY, start="hands")
bad(training.train, "start: need a model of .*'latent_dim': 3.*, got .*: 2", **TINY, latent_dim=3, start=VAE2)
bad(training.train, "warmup: need a number of at least 0 and of at most 1, got 1.5", **TINY, warmup=1.5)
bad(training.train, "callback: need a function, got 'show'", **TINY, callback="show")
bad(training.train, "checkpoint: need the name of a file or folder, got 3", **TINY, checkpoint=3)
bad(weights.to_bytes, "card: need dict, got 'hands'", VAE2, "hands")
bad(weights.load, "path: there is no file 'no.safetensors'", "no.safetensors", error=FileNotFoundError)
bad(weights.load_pretrained, "name: there is no shipped model 'hand'; choose among digits-2d, hands, ", "hand")
bad(weights.to_bytes, "card: need values that JSON can hold, got can only convert", VAE2, {"elbo": X})
bad(evaluation.scores, r"images: need \(n, 1, 32, 32\)", VAE2, NARROW)

# datasets, hands, sprites, files
good(datasets.hands, n=2, seed=0, size=8, progress=False)
good(datasets.sprites, n=2, seed=0, size=16)
good(datasets.digits, size=8)
good(datasets.as_bytes, images=FACE)
good(hands.sample_factors, n=2, rng=rng())
good(hands.fill, varied=[[0.5]], vary=["thumb"])
good(hands.render, factors=[hands.neutral()], size=8)
good(sprites.sample_factors, n=2, rng=rng())
good(sprites.render, factors=[[1, 1, 0, 0, 0]], size=16)
bad(datasets.hands, "vary: 'toe' is not a factor; choose among", 1, seed=0, vary=["toe"])
bad(datasets.folder, "path: need the name of a file or folder, got None", None)
bad(datasets.folder, r"channels: need 1 \(grey\) or 3 \(colour\), got 2", ".", channels=2)
bad(datasets.folder, "size: need a whole number from 8 to 4096, got 4", ".", size=4)
bad(datasets.folder, "path: there is no folder 'nowhere'", "nowhere", error=FileNotFoundError)
bad(sprites.render, r"factors: need \(n, 5\), got \(1, 4\)", [[1, 1, 0, 0]])
bad(sprites.render, "factors: shape must be 1, 2 or 3, got 1.5", [[1.5, 1, 0, 0, 0]])
bad(sprites.render, "factors: orientation must be 0 to 6.283185, got 7", [[1, 1, 7, 0, 0]])
bad(sprites.render, "factors: y must be 0 to 1, got nan", [[1, 1, 0, 0, NAN]])
bad(datasets.mnist, "size: need a whole number from 8 to 4096, got 7", size=7)
bad(hands.columns_of, r"vary: \[\] is not a factor", [[]])
bad(lambda path: files.replacing(path).__enter__(), "path: '.+' is not a file", Path("/"), error=OSError)

# plots, explorer
bad(plots.tile, r"images: need \(rows, .*, got \(3, 1, 4, 4\)", GRID[0])
bad(plots.plot_rows, "labels: need one for each of 2 rows, got 1", GRID, ["z0"])
bad(plots.ellipses, "cov: need positive definite", -EYE)
good(explorer.LatentExplorer, start=[0, 0], model=VAE2)
bad(explorer.LatentExplorer, "card: need dict, got 'hands'", VAE2, "hands")
bad(explorer.LatentExplorer, "card: need a dictionary for each of 2 latents, got .{}.", VAE2, {"latents": [{}]})
bad(explorer.LatentExplorer, "card: need names of the factors that vary, got 3", VAE2, {"vary": 3})
bad(explorer.LatentExplorer, "images: need", VAE2, images=NARROW)
