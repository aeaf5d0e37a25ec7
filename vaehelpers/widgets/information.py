"""Lesson 01: the most uncertain source, the cost of a wrong belief, what a barometer tells, a narrow Gaussian."""

import numpy as np
from matplotlib.figure import Figure

from ..plots import information as plots
from .live import Live, slider

WEATHER = ("sun", "cloud", "rain", "storm")


def two_weathers() -> Live:
    """Rain or no rain: the entropy under one probability, as a curve and as the area of two bars."""
    figure = Figure(figsize=(12, 4.4))
    left, right = figure.subplots(1, 2, width_ratios=(2, 3))
    plots.plot_binary_entropy(0.2, ax=left)
    plots.plot_areas([0.2, 0.8], ["rain", "dry"], ax=right)

    def update(p: float) -> None:
        plots.move_binary_entropy(left, p)
        plots.move_areas(right, [p, 1 - p])

    return Live(figure, update, p=slider("probability of rain", 0.01, 0.99, 0.2))


def four_weathers() -> Live:
    """Four weathers: their weights under sliders, and the entropy against the largest that four can have."""
    figure = Figure(figsize=(11, 4.4))
    axes = plots.plot_areas([0.25, 0.125, 0.5, 0.125], WEATHER, ax=figure.subplots())

    def update(**weights: float) -> None:
        odds = np.array(list(weights.values()))
        plots.move_areas(axes, odds / odds.sum())

    starts = zip(WEATHER, (2.0, 1.0, 4.0, 1.0), strict=True)
    return Live(figure, update, **{name: slider(f"weight of {name}", 0.01, 8, start) for name, start in starts})


def wrong_belief() -> Live:
    """What a believed probability of rain costs where another is true."""
    figure = Figure(figsize=(9, 4.8))
    axes = plots.plot_wrong_belief(0.5, 0.05, ax=figure.subplots())
    controls = {
        "p": slider("true probability p", 0.03, 0.97, 0.5),
        "q": slider("believed probability q", 0.03, 0.97, 0.05),
    }
    return Live(figure, lambda p, q: plots.move_wrong_belief(axes, p, q), **controls)


def barometer() -> Live:
    """A glass that follows the weather more or less: the joint table, and the entropies that it makes overlap."""
    figure = Figure(figsize=(12, 4.4))
    left, right = figure.subplots(1, 2, width_ratios=(1, 2))
    plots.plot_joint(np.full((2, 2), 0.25), ["glass\nfalls", "glass\nrises"], ["rain", "dry"], ax=left)
    plots.plot_shared(np.full((2, 2), 0.25), ("glass", "weather"), ax=right)

    def update(rain: float, dependence: float) -> None:
        margin = np.array([rain, 1 - rain])
        joint = (1 - dependence) * np.outer(margin, margin) + dependence * np.diag(margin)
        plots.move_joint(left, joint)
        plots.move_shared(right, joint)

    return Live(
        figure,
        update,
        rain=slider("probability of rain", 0.01, 0.99, 0.5),
        dependence=slider("glass follows the weather", 0, 1, 0.6),
    )


def narrow_gaussian() -> Live:
    """A Gaussian under its standard deviation, and its differential entropy on both sides of zero."""
    figure = Figure(figsize=(9, 4.2))
    axes = plots.plot_gaussian(0.15, ax=figure.subplots())
    return Live(figure, lambda sigma: plots.move_gaussian(axes, sigma), sigma=slider("σ in °C", 0.1, 2, 0.15))
