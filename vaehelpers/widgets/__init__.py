"""Figures under sliders, a file for each lesson; each keeps a picture for the page without a kernel."""

from .beta import all_latents, beta_calculator, rising_capacity, turned_latents
from .divergence import both_directions, place_gaussian
from .elbo import em_bounds, factorised, four_causes, one_latent
from .information import barometer, four_weathers, narrow_gaussian, two_weathers, wrong_belief
from .live import Live, choice, once_per_burst, slider, steps
from .mixtures import em_steps, hard_and_soft, small_variance
from .posterior import diagnosis, gaussian_steps, universe
from .vae import Learning, overlap_lab
