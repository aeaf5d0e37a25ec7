"""Every figure of the course, a file for each lesson: arrays go in, the axes come out."""

from .pictures import plot_manifold, plot_map, plot_pictures, plot_traversal, tile
from .style import BOUND, DATA, POSTERIOR, PRIOR, STYLE, P, Q
