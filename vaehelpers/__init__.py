"""Helpers of a course that leads from information and entropy to a β-VAE whose latent sliders move a hand."""

__version__ = "0.1.0"
