"""Every figure of the course, a file for each lesson: arrays go in, the axes come out."""

from .beta import (
    plot_beta_scale,
    plot_kl_parts,
    plot_latent_kl,
    plot_path,
    plot_rate_distortion,
    plot_spreading,
    plot_sweep,
    plot_traversals,
)
from .disentanglement import move_mi_matrix, plot_mi_matrix
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
from .vae import (
    move_costs,
    plot_bounds,
    plot_code_map,
    plot_costs,
    plot_estimates,
    plot_gaps,
    plot_overlap,
    plot_rows,
    plot_runs,
    plot_three_beliefs,
    plot_two_samples,
)
