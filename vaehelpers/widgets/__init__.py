"""Figures under sliders, a file for each lesson; each keeps a picture for the page without a kernel."""

from .live import Live, choice, once_per_burst, slider, steps
