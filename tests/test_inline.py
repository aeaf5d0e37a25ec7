"""What a lesson writes inline is what the package holds: both are run on the same random inputs."""

import ast

import numpy as np
import pytest
import torch
from test_notebooks import NOTEBOOKS, code_cells, read

from vaehelpers import bounds, inference, information, latents, metrics, mixtures, model
from vaehelpers.lessons import lesson07
from vaehelpers.lessons.lesson07 import turn
from vaehelpers.linear_gaussian import LinearGaussian

RNG = np.random.default_rng(0)
torch.manual_seed(0)


def inline(lesson, name):
    """The function that a lesson defines under a name, with the lesson's imports and the definitions before it."""
    path = next(p for p in NOTEBOOKS if p.name.startswith(lesson))
    space = {}
    for cell in code_cells(read(path)):
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef):
                exec(ast.unparse(node), space)
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return space[name]
    raise LookupError(f"lesson {lesson} defines no {name}")


def linear_gaussian_input():
    """A model, two rows that it could have given, and a belief about the two latents of each."""
    root = RNG.standard_normal((2, 2))
    model = LinearGaussian(RNG.standard_normal((4, 2)), RNG.standard_normal(4), RNG.uniform(0.2, 2))
    return model, RNG.standard_normal((2, 4)), RNG.standard_normal((2, 2)), root @ root.T + 0.1 * np.eye(2)


def mixture_input():
    """Rows, a mixture of three Gaussians in two dimensions, and log-responsibilities."""
    roots = RNG.standard_normal((3, 2, 2))
    covariances = roots @ roots.transpose(0, 2, 1) + 0.1 * np.eye(2)
    mixture = mixtures.GaussianMixture(RNG.dirichlet(np.ones(3)), RNG.standard_normal((3, 2)), covariances)
    return RNG.standard_normal((20, 2)), mixture, np.log(RNG.dirichlet(np.ones(3), 20))


def noisy_or_input(seed):
    """A noisy-OR, all its states, symptoms, and a start for mean-field."""
    rng = np.random.default_rng(seed)
    model = inference.NoisyOr(rng.uniform(0.05, 0.5, 5), rng.uniform(0.01, 0.2, 3), rng.uniform(0, 0.9, (5, 3)))
    return model, inference.binary_states(5), rng.integers(0, 2, 3), rng.random(5)


def noisy_or_log_joint(states, symptoms, *arrays):
    return inference.NoisyOr(*arrays).log_joint(states, symptoms)


def noisy_or_mean_field(log_joint, states, start, sweeps):
    model, same, x, _ = noisy_or_input(0)
    np.testing.assert_array_equal(log_joint, model.log_joint(same, x))
    return inference.mean_field(model, x, start, sweeps=sweeps)[0]


def belief_input():
    """Pictures, a decoder from two latents, and a belief about each picture."""
    mu, logvar = torch.randn(2, 3, 2).unbind()
    decoder = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Unflatten(1, (1, 4, 4)))
    return torch.rand(3, 1, 4, 4), decoder.requires_grad_(False), mu, logvar


def seeded(function):
    """The function on a fixed seed, which is set again for the inline one that is called after it."""

    def run(*arguments):
        torch.manual_seed(0)
        value = function(*arguments)
        torch.manual_seed(0)
        return value

    return run


def parts(value):
    return value if isinstance(value, tuple) else np.atleast_1d(value)


MODEL, STATES, SYMPTOMS, START = noisy_or_input(0)

#: (lesson, name in the lesson, function of the package, random inputs)
PAIRS = [
    ("01", "surprisal", information.surprisal, [(RNG.uniform(0.01, 1, (3, 4)),)]),
    ("01", "entropy", information.entropy, [(RNG.dirichlet(np.ones(5), 3),), (np.eye(3),)]),
    ("01", "cross_entropy", information.cross_entropy, [tuple(RNG.dirichlet(np.ones(5), (2, 3)))]),
    ("01", "mutual_information", information.mutual_information, [(RNG.dirichlet(np.ones(12)).reshape(3, 4),)]),
    ("05", "elbo", inference.elbo, [(RNG.dirichlet(np.ones(5)), RNG.normal(-3, 2, 5)) for _ in range(5)]),
    ("05", "log_evidence", LinearGaussian.log_evidence, [linear_gaussian_input()[:2] for _ in range(5)]),
    ("05", "posterior", LinearGaussian.posterior, [linear_gaussian_input()[:2] for _ in range(5)]),
    ("05", "elbo_terms", LinearGaussian.elbo_terms, [linear_gaussian_input() for _ in range(5)]),
    ("03", "log_joint", noisy_or_log_joint, [(STATES, SYMPTOMS, MODEL.prior, MODEL.leak, MODEL.strength)]),
    ("03", "binary_states", inference.binary_states, [(1,), (7,)]),
    ("03", "enumerate_posterior", inference.enumerate_posterior, [(RNG.normal(-900, 3, 20),)]),
    ("03", "factorised", inference.factorised, [(START, STATES)]),
    ("03", "mean_field", noisy_or_mean_field, [(MODEL.log_joint(STATES, SYMPTOMS), STATES, START, 4)]),
    (
        "03",
        "gaussian_mean_field",
        inference.gaussian_mean_field,
        [(START[:3], np.cov(RNG.normal(size=(3, 9))), START[2:])],
    ),
    ("02", "kl_divergence", information.kl_divergence, [tuple(RNG.dirichlet(np.ones(5), (2, 3)))]),
    ("02", "gaussian_kl", information.gaussian_kl, [tuple(RNG.uniform(0.1, 3, (4, 7)))]),
    ("04", "log_joint_density", mixtures.log_joint_density, [mixture_input()[:2]]),
    ("04", "e_step", mixtures.e_step, [mixture_input()[:2]]),
    ("04", "elbo", mixtures.elbo, [mixture_input()]),
    ("06", "elbo_terms", model.elbo_terms, [(*torch.rand(2, 3, 1, 4, 4).double(), *torch.randn(2, 3, 2).double())]),
    ("06", "reparameterise", seeded(model.reparameterise), [belief_input()[2:]]),
    ("06", "log_weights", seeded(bounds.log_weights), [belief_input()]),
    ("06", "importance_bound", bounds.importance_bound, [(torch.randn(30, 4), 7), (torch.randn(30, 4) - 900, 30)]),
    ("07", "effective_beta", lesson07.effective_beta, [("squared", 0.5, 0.1, 784, 2, 0.04), ("bernoulli", 1, 4, 1, 9)]),
    ("07", "mi_matrix", metrics.mi_matrix, [(RNG.standard_normal((500, 3)), RNG.uniform(size=(500, 2)))]),
    ("07", "mig_gaps", metrics.mig_gaps, [(RNG.standard_normal((500, 3)), RNG.uniform(size=(500, 2)))]),
    ("07", "turn", turn, [(RNG.standard_normal((5, 3)), 25.0)]),
]


@pytest.mark.parametrize(("lesson", "name", "function", "inputs"), PAIRS, ids=[f"{row[0]}-{row[1]}" for row in PAIRS])
def test_inline_is_the_package(lesson, name, function, inputs):
    derived = inline(lesson, name)
    for arguments in inputs:
        for ours, theirs in zip(parts(function(*arguments)), parts(derived(*arguments)), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_the_three_parts_of_the_kl_are_the_package():
    derived, posteriors = inline("07", "kl_parts"), RNG.standard_normal((2, 90, 4))
    ours, theirs = (parts_of(*posteriors, rng=np.random.default_rng(3)) for parts_of in (latents.kl_parts, derived))
    np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11)
