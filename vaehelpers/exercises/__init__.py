"""Checks that answer an attempt: what is wrong, and a hint. An open stub is no mistake. A file for each lesson."""

from .beta import (
    check_beta_loss,
    check_break_even,
    check_gap,
    check_gaussian_correlation,
    check_share,
    check_spread_rate,
    check_strangers_beta,
    check_turn_back,
)
from .divergence import (
    check_coin,
    check_cover_fit,
    check_jensen_shannon,
    check_price,
    check_slider_cost,
    check_third_valley,
)
from .elbo import (
    check_climb,
    check_elbo_by_hand,
    check_elbo_sign,
    check_expected_fit,
    check_fit_and_price,
    check_new_weight,
    check_sd_gradient,
)
from .explorer import (
    check_agreement,
    check_answering,
    check_arc,
    check_best_fit,
    check_step,
    check_variance_share,
)
from .hands import check_nearest, check_pointing
from .information import (
    check_conditional_entropy,
    check_harbour,
    check_mean_length,
    check_thermometer,
    check_two_storms,
    check_waste,
)
from .mixtures import (
    check_bic,
    check_coins,
    check_log_density,
    check_log_responsibilities,
    check_new_means,
    check_new_sds,
    check_responsibility,
)
from .posterior import (
    check_bayes,
    check_explaining_away,
    check_gibbs,
    check_log_evidence,
    check_mean_field_update,
    check_pair,
    check_universe_ages,
    check_variances,
)
from .vae import (
    check_best_picture,
    check_best_weight,
    check_gaps,
    check_latent_price,
    check_log_mean_exp,
    check_negative_elbo,
    check_sample,
)
