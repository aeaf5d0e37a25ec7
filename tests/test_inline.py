"""Functions that lessons define inline agree with the package's on the same random inputs."""

import ast
from functools import partial

import numpy as np
import pytest
import torch
from test_notebooks import NOTEBOOKS, code_cells, read

from vaehelpers import bounds, inference, information, latents, metrics, mixtures, model
from vaehelpers.lessons import lesson07
from vaehelpers.linear_gaussian import LinearGaussian

RNG = np.random.default_rng(0)
torch.manual_seed(0)


def inline(lesson, name):
    """Return the function that a lesson defines, with the lesson's imports and the functions before it."""
    path = next(p for p in NOTEBOOKS if p.name.startswith(lesson))
    space = {}
    for cell in code_cells(read(path)):
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef):
                exec(ast.unparse(node), space)
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return space[name]
    raise LookupError(f"lesson {lesson} defines no {name}")


def covariances(*shape):
    roots = RNG.standard_normal((*shape, 2, 2))
    return roots @ roots.swapaxes(-1, -2) + 0.1 * np.eye(2)


def linear_gaussian():
    """Return a model, two rows, and mean and covariance of a q for each."""
    model = LinearGaussian(RNG.standard_normal((4, 2)), RNG.standard_normal(4), 0.7)
    return model, RNG.standard_normal((2, 4)), RNG.standard_normal((2, 2)), covariances()


def mixture():
    """Return rows, a mixture of three Gaussians in two dimensions, and log-responsibilities."""
    three = mixtures.GaussianMixture(RNG.dirichlet(np.ones(3)), RNG.standard_normal((3, 2)), covariances(3))
    return RNG.standard_normal((20, 2)), three, np.log(RNG.dirichlet(np.ones(3), 20))


def vae():
    """Return images, a decoder from two latents, and mu and logvar of each image."""
    decoder = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Unflatten(1, (1, 4, 4)))
    return torch.rand(3, 1, 4, 4), decoder.requires_grad_(False), *torch.randn(2, 3, 2)


def noisy_or_log_joint(states, symptoms, *arrays):
    return inference.NoisyOr(*arrays).log_joint(states, symptoms)


def noisy_or_mean_field(log_joint, states, start, sweeps):
    np.testing.assert_array_equal(log_joint, of_symptoms(states))
    return inference.mean_field(NOISY_OR, SYMPTOMS, start, sweeps=sweeps)[0]


NOISY_OR = inference.NoisyOr(RNG.uniform(0.05, 0.5, 5), RNG.uniform(0.01, 0.2, 3), RNG.uniform(0, 0.9, (5, 3)))
STATES, SYMPTOMS, START = inference.binary_states(5), np.array([1, 0, 1]), RNG.random(5)
of_symptoms = partial(NOISY_OR.log_joint, symptoms=SYMPTOMS)
LOG_JOINT, P, Q = of_symptoms(STATES), *RNG.dirichlet(np.ones(5), (2, 3))
CODES, FACTORS = RNG.standard_normal((500, 3)), RNG.uniform(size=(500, 2))

#: (lesson, name in the lesson, function of the package, arguments)
PAIRS = [
    ("01", "surprisal", information.surprisal, (P,)),
    ("01", "entropy", information.entropy, (P,)),
    ("01", "entropy", information.entropy, (np.eye(3),)),
    ("01", "cross_entropy", information.cross_entropy, (P, Q)),
    ("01", "mutual_information", information.mutual_information, (P / P.sum(),)),
    ("02", "kl_divergence", information.kl_divergence, (P, Q)),
    ("02", "gaussian_kl", information.gaussian_kl, tuple(RNG.uniform(0.1, 3, (4, 7)))),
    ("03", "log_joint", noisy_or_log_joint, (STATES, SYMPTOMS, NOISY_OR.prior, NOISY_OR.leak, NOISY_OR.strength)),
    ("03", "binary_states", inference.binary_states, (7,)),
    ("03", "enumerate_posterior", inference.enumerate_posterior, (RNG.normal(-900, 3, 20),)),
    ("03", "factorised", inference.factorised, (START, STATES)),
    ("03", "metropolis", inference.metropolis, (of_symptoms, STATES[::5].astype(int), 300)),
    ("03", "mean_field", noisy_or_mean_field, (LOG_JOINT, STATES, START, 4)),
    ("03", "gaussian_mean_field", inference.gaussian_mean_field, (START[:2], covariances(), START[2:4])),
    ("04", "log_joint_density", mixtures.log_joint_density, mixture()[:2]),
    ("04", "e_step", mixtures.e_step, mixture()[:2]),
    ("04", "m_step", mixtures.m_step, mixture()[::2]),
    ("04", "elbo", mixtures.elbo, mixture()),
    ("05", "elbo", inference.elbo, (P[0], RNG.normal(-3, 2, 5))),
    ("05", "log_evidence", LinearGaussian.log_evidence, linear_gaussian()[:2]),
    ("05", "posterior", LinearGaussian.posterior, linear_gaussian()[:2]),
    ("05", "elbo_terms", LinearGaussian.elbo_terms, linear_gaussian()),
    ("06", "elbo_terms", model.elbo_terms, (*torch.rand(2, 3, 1, 4, 4).double(), *torch.randn(2, 3, 2).double())),
    ("06", "reparameterise", model.reparameterise, vae()[2:]),
    ("06", "log_weights", bounds.log_weights, vae()),
    ("06", "importance_bound", bounds.importance_bound, (torch.randn(30, 4) - 900, 7)),
    ("07", "effective_beta", lesson07.effective_beta, ("squared", 0.5, 0.1, 784, 2, 0.04)),
    ("07", "effective_beta", lesson07.effective_beta, ("bernoulli", 1, 4, 1, 9)),
    ("07", "mi_matrix", metrics.mi_matrix, (CODES, FACTORS)),
    ("07", "mig_gaps", metrics.mig_gaps, (CODES, FACTORS)),
    ("07", "turn", lesson07.turn, (CODES, 25.0)),
    ("07", "kl_parts", latents.kl_parts, tuple(RNG.standard_normal((2, 90, 4)))),
]


@pytest.mark.parametrize(("lesson", "name", "function", "arguments"), PAIRS)
def test_inline_is_the_package(lesson, name, function, arguments):
    values = []
    for each in (function, inline(lesson, name)):
        torch.manual_seed(0)
        options = {"rng": np.random.default_rng(3)} if name in ("metropolis", "kl_parts") else {}
        value = each(*arguments, **options)
        value = tuple(vars(value).values()) if name == "m_step" else value
        values.append(value if isinstance(value, tuple) else (value,))
    for ours, theirs in zip(*values, strict=True):
        tolerance = 1e-5 if np.asarray(ours).dtype == np.float32 else 1e-11
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
