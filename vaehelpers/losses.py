"""What β a stranger's loss amounts to, and the losses of well-known repositories as facts to try it on."""

from typing import NamedTuple

from .arguments import number

ERRORS = ("bernoulli", "squared")


def effective_beta(
    error: str, scale: float, weight: float, error_over: float, kl_over: float, variance: float = 1.0
) -> float:
    """Return the β that the loss ``scale · error / error_over + weight · KL / kl_over`` amounts to.

    ``error`` and KL are sums over all pixels, latents and pictures of a batch, and ``error_over`` and ``kl_over`` say
    by what each is divided: 1 for a sum, the number of values for a mean. A ``"bernoulli"`` error is the cross-entropy
    of the pixels, minus the log-likelihood itself; a ``"squared"`` one is 2σ² times that of Gaussian pixels, but for a
    constant, with ``variance`` σ². Dividing the loss by what stands before the log-likelihood changes no optimum, and
    leaves β before the KL. Raises ``ValueError`` for another error or a number that is not positive.
    Source: the losses of Higgins et al. (2017), eq. 4; Rybkin, Daniilidis & Levine (2021), "Simple and effective VAE
    training with calibrated decoders", for β and the variance.
    """
    if error not in ERRORS:
        raise ValueError(f"error: need one of {', '.join(ERRORS)}, got {error!r}")
    numbers = {"scale": scale, "error_over": error_over, "kl_over": kl_over, "variance": variance, "weight": weight}
    for name, value in numbers.items():
        number(name, value, above=0)
    per_nat = {"bernoulli": 1.0, "squared": 2 * variance}[error]
    before_fit, before_kl = scale * per_nat / error_over, weight / kl_over
    return before_kl / before_fit


class Peer(NamedTuple):
    """A loss as one commit of a public repository has it; sums and means over the batch cancel in all of these.

    ``scale``, ``weight``, ``error_over`` and ``kl_over`` are those of ``effective_beta``; ``setting`` says which of
    the repository's models and pictures they belong to.
    """

    repository: str
    commit: str
    file: str
    setting: str
    error: str
    scale: float
    weight: float
    error_over: int
    kl_over: int

    def beta(self, variance: float = 1.0) -> float:
        """Return the β of this loss, for a squared error with Gaussian pixels of this variance."""
        return effective_beta(self.error, self.scale, self.weight, self.error_over, self.kl_over, variance)


_COLOUR = 64 * 64 * 3
_ANTIXK, _DISVAE = "AntixK/PyTorch-VAE", "YannDubs/disentangling-vae"
#: Read in these files; a weight that a configuration holds is the one beside the file, at the same commit.
PEERS = (
    Peer("pytorch/examples", "77f55b9", "vae/main.py", "28×28", "bernoulli", 1, 1, 1, 1),
    Peer("keras-team/keras-io", "09e02e1", "examples/generative/vae.py", "28×28", "bernoulli", 1, 1, 1, 1),
    Peer(
        "keras-team/keras", "cb468fe", "examples/variational_autoencoder.py", "an early version, 28×28, 2 latents",
        "bernoulli", 1, 1, 28 * 28, 2,
    ),
    Peer(
        "google-research/disentanglement_lib", "86a644d", "disentanglement_lib/methods/unsupervised/vae.py",
        "β has no default; here 1", "bernoulli", 1, 1, 1, 1,
    ),
    Peer(_DISVAE, "f045219", "disvae/models/losses.py", "betaH, Bernoulli pixels", "bernoulli", 1, 4, 1, 1),
    Peer(_DISVAE, "f045219", "disvae/models/losses.py", "betaH, Gaussian pixels", "squared", 255, 4, 1, 1),
    Peer("1Konny/Beta-VAE", "977a1ec", "solver.py", "CelebA", "squared", 1, 4, 1, 1),
    Peer(
        "clementchadebec/benchmark_VAE", "6419e21", "src/pythae/models/beta_vae/beta_vae_model.py",
        "BetaVAE as it comes", "squared", 0.5, 1, 1, 1,
    ),
    Peer(_ANTIXK, "a6896b9", "models/vanilla_vae.py", "configs/vae.yaml, 64×64×3", "squared", 1, 0.00025, _COLOUR, 1),
    Peer(
        _ANTIXK, "a6896b9", "models/beta_vae.py", "configs/bhvae.yaml, 64×64×3",
        "squared", 1, 10 * 0.00025, _COLOUR, 1,
    ),
    Peer(
        _ANTIXK, "90172be", "experiment.py", "2020: weight 144 / 162,770, 64×64×3",
        "squared", 1, 144 / 162_770, _COLOUR, 1,
    ),
    Peer(
        "Lightning-Universe/lightning-bolts", "34958a8",
        "src/pl_bolts/models/autoencoders/basic_vae/basic_vae_module.py", "CIFAR-10, 256 latents",
        "squared", 1, 0.1, 32 * 32 * 3, 256,
    ),
    Peer(
        "nmichlo/disent", "8f061a8", "disent/frameworks/vae/_unsupervised__betavae.py", "64×64×3, 9 latents",
        "squared", 1, 0.003, _COLOUR, 9,
    ),
)  # fmt: skip


def peers_table(*, variance: float = 0.01) -> str:
    """Return the losses of all ``PEERS`` and the β of each, at σ² = 1 and at ``variance``, as a table in Markdown."""
    number("variance", variance, above=0)
    lines = [
        f"| loss of | setting | before the KL | before the error | β if σ² = 1 | β if σ² = {variance:g} |",
        "|---|---|---|---|---:|---:|",
    ]
    for peer in PEERS:
        link = f"[{peer.repository}](https://github.com/{peer.repository}/blob/{peer.commit}/{peer.file})"
        kl, error = f"{peer.weight:.4g}", f"{peer.scale:g}"
        kl += f" / {peer.kl_over:,}" if peer.kl_over > 1 else ""
        error += (f" / {peer.error_over:,}" if peer.error_over > 1 else "") + f", {peer.error}"
        other = f"{peer.beta(variance):.4g}" if peer.error == "squared" else "the same"
        lines.append(f"| {link} | {peer.setting} | {kl} | {error} | {peer.beta():.4g} | {other} |")
    return "\n".join(lines)
