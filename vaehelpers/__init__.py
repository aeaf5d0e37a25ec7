"""From information and entropy to a β-VAE whose sliders move a hand: the helpers of the course."""

__version__ = "0.1.0"
