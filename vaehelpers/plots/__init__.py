"""Every figure of the course, a file for each lesson: arrays go in, the axes come out."""

from .divergence import (
    plot_chord,
    plot_differences,
    plot_divergences,
    plot_humps,
    plot_integrand,
    plot_landscape,
    plot_paths,
    plot_terms,
    plot_two_beliefs,
)
from .elbo import (
    ellipses,
    move_balance,
    plot_balance,
    plot_beliefs,
    plot_causes,
    plot_em_bounds,
    plot_factorised,
    plot_gap,
    plot_gradient_variances,
    plot_gradients,
    plot_half_steps,
    plot_two_signs,
)
from .information import plot_code, plot_days, plot_lengths, plot_surprisal
from .mixtures import (
    plot_border,
    plot_choice,
    plot_climb,
    plot_components,
    plot_points,
    plot_spike,
    plot_starts,
)
from .pictures import plot_manifold, plot_map, plot_pictures, plot_traversal, tile
from .posterior import (
    move_wait,
    plot_cost,
    plot_errors,
    plot_gaussians,
    plot_graphical_model,
    plot_lost_variance,
    plot_marginals,
    plot_network,
    plot_wait,
)
from .style import BOUND, DATA, POSTERIOR, PRIOR, STYLE, P, Q
