"""Figures under sliders as frames: which are drawn; test_live_figures compares them."""

import base64
import functools
import re
import zlib
from itertools import product
from math import prod

import ipywidgets as widgets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from test_lesson_figures import LIVES

from vaehelpers.lessons import frames, lesson06
from vaehelpers.lessons.frames import grid
from vaehelpers.lessons.live import Live, choice, slider, steps

SIZES = st.lists(st.integers(2, 200), min_size=1, max_size=7)


@st.composite
def controls(draw):
    sizes = draw(SIZES)
    return sizes, draw(st.lists(st.tuples(*(st.integers(0, size - 1) for size in sizes)), min_size=1, max_size=6))


@settings(deadline=None, max_examples=30)
@given(controls())
def test_every_control_reaches_its_ends_from_the_start_and_all_that_is_tried(drawn):
    sizes, anchors = drawn
    states = grid(sizes, anchors)
    assert states[0] == anchors[0] and len(set(states)) == len(states) and set(anchors) <= set(states)
    assert all(0 <= i < size for state in states for i, size in zip(state, sizes, strict=True))
    for anchor, (c, size) in product(anchors, enumerate(sizes)):
        reached = {state[c] for state in states if (*state[:c], *state[c + 1 :]) == (*anchor[:c], *anchor[c + 1 :])}
        assert {0, size - 1} <= reached
        assert len(reached) >= (size if len(sizes) == 1 else min(size, 2 if len(sizes) == 2 else 31)), "too coarse"
    if len(sizes) == 2:
        assert len(states) == prod(len(set(column)) for column in zip(*states, strict=True)), "no raster"


def test_two_long_controls_have_a_raster_of_at_least_15_by_15():
    states = np.array(grid([99, 191], [(20, 7), (50, 60)]))
    assert len(states) <= 1.2 * frames.MAX_FRAMES
    for column, tried in zip(states.T, ({20, 50}, {7, 60}), strict=True):
        assert len(set(column)) >= 15 and tried <= set(column) and np.diff(np.unique(column)).max() <= 10


def test_a_slider_ends_at_its_maximum_and_other_controls_are_refused_by_name():
    assert frames._options(widgets.FloatSlider(0, min=0, max=1, step=0.15))[-1] == 0.9
    for control in (
        widgets.Dropdown(options=["a"]),
        widgets.FloatLogSlider(),
        widgets.ToggleButtons(options=[("one", 1)]),
        widgets.FloatSlider(readout_format=".0%"),
    ):
        with pytest.raises(ValueError, match=f"controls: need an IntSlider, .*, got {type(control).__name__}"):
            frames._options(control)


@pytest.fixture
def html(monkeypatch):
    """Display figures by their frames; return a list of the HTML that is displayed."""
    shown = []
    monkeypatch.setattr(frames, "display", lambda data, *, raw: shown.append(data["text/html"]))
    monkeypatch.setattr(Live, "_ipython_display_", Live._ipython_display_)
    frames.use_frames()
    return shown


def test_a_name_becomes_part_of_an_address(html):
    for update in (lambda n: None, functools.partial(lambda n: None)):
        Live(Figure(), update, n=steps("n", 2))._ipython_display_()
    names = [re.search(r'id="([^"]*)"', each)[1] for each in html]
    assert names == ["test_a_name_becomes_part_of_an_address", "figure"]


def planned(live):
    """Return the states that are drawn of a figure, as tuples of values."""
    options = {key: frames._options(control) for key, control in live.controls.items()}
    states = frames.states_to_draw(live, options, frames._presets(live, options))
    return [tuple(values[i] for values, i in zip(options.values(), state, strict=True)) for state in states]


@pytest.fixture(scope="module")
def drawn():
    """Return for each figure of the lessons the names of its controls and the states that are drawn."""
    lives = [make() for make in LIVES]
    return {live.update.__qualname__.split(".")[0]: ([*live.controls], planned(live)) for live in lives}


def test_no_figure_has_too_many_frames(drawn):
    assert {name: len(states) for name, (_, states) in drawn.items() if len(states) > 1150} == {}


#: Combinations of values to which the text of a lesson or of the instructors' guide leads; other controls stay.
SENTENCES = [
    ("four_weathers", {"sun": 2.0, "cloud": 2.0, "rain": 2.0, "storm": 2.0}),
    ("wrong_code", {"p": 0.5, "q": 0.5}),
    ("wrong_code", {"p": 0.9, "q": 0.5}),
    ("wrong_code", {"p": 0.9, "q": 0.9}),
    ("wrong_code", {"p": 0.9, "q": 0.03}),
    ("barometer", {"rain": 0.5, "dependence": 0.0}),
    ("barometer", {"rain": 0.5, "dependence": 1.0}),
    ("narrow_gaussian", {"sigma": 0.24}),
    ("both_directions", {"p": 0.5, "q": 0.01}),
    ("both_directions", {"p": 0.1, "q": 0.1}),
    *(("place_gaussian", {"mean": 13.0, "sd": sd}) for sd in (0.5, 1.0, 2.0, 4.0)),
    ("universe", {"speed": 60}),
    *(("gaussian_steps", {"rho": 0.9, "step": step}) for step in range(13)),
    *(("gaussian_steps", {"rho": rho}) for rho in (-0.95, 0.0, 0.95)),
    ("four_causes", {"weight_0": 0.24, "weight_1": 0.24, "weight_2": 0.5}),
    *(("em_bounds", {"start": -2.0, "half_step": step}) for step in range(12)),
    *(("one_latent", {"mean": 1.0, "sd": sd}) for sd in (0.1, 0.45, 1.0, 1.5)),
    ("overlap_lab", {"mean_1": -1.0, "mean_2": 1.0, "sd_1": 0.3, "sd_2": 0.3}),
    ("overlap_lab", {"way": "1 apart", "mean_1": -1.0, "mean_2": 1.0, "sd_1": 0.3, "sd_2": 0.3}),
    ("overlap_lab", {"way": "2 narrow", "mean_1": -1.0, "mean_2": 1.0, "sd_1": 0.3, "sd_2": 0.3}),
    ("beta_calculator", {"pixels": "sum", "latents": "sum"}),
    ("beta_calculator", {"pixels": "sum", "latents": "sum", "error": "½ squared"}),
    ("beta_calculator", {"pixels": "sum", "latents": "sum", "error": "Bernoulli"}),
    ("beta_calculator", {"pixels": "sum", "latents": "sum", "error": "½ squared", "batch": "mean of KL only"}),
    ("beta_calculator", {"pixels": "sum", "latents": "sum", "sigma": 0.05}),
    *(("rate_limit", {"limit": limit}) for limit in (0.0, 5.0)),
    *(("turned_latents", {"angle": angle}) for angle in (0, 30, 45, 90)),
]  # fmt: skip


@pytest.mark.parametrize(("figure", "values"), SENTENCES)
def test_a_reader_arrives_where_a_sentence_leads(drawn, figure, values):
    names, states = drawn[figure]
    state = list(states[0])
    for name, value in values.items():  # one control after the other
        state[names.index(name)] = value
        if name == "way":  # a button, which moves the sliders
            means, sds, _ = lesson06._WAYS[value]
            state[1:] = [*means, *sds]
        assert tuple(state) in states, f"{name} cannot be moved to {value}"


def test_what_is_tried_is_reached_in_whatever_order():
    live = tiny(tries=[{"height": 0.9, "shade": "dark", "size": 7}])
    ways = product((0.5, 0.9), ("light", "dark"), (3, 7))
    assert set(ways) <= set(planned(live))


def test_all_weight_can_be_put_on_one_cause(drawn):
    _, states = drawn["four_causes"]
    assert {(1, 0, 0), (0, 1, 0), (0, 0, 1)} <= set(states)


def test_a_slider_moves_whichever_buttons_are_pressed(drawn):
    names, states = drawn["beta_calculator"]
    buttons = {state[:-2] for state in states}
    assert len(buttons) == prod(len(set(column)) for column in zip(*buttons, strict=True)), "a combination is missing"
    for slid, (low, high) in {"weight": (-5, 2), "sigma": (0.05, 1)}.items():
        c = names.index(slid)
        for pressed in buttons:
            assert {low, high} <= {state[c] for state in states if state[:-2] == pressed}


def test_a_tried_value_is_the_nearest_one_and_must_belong_to_a_control():
    live = tiny(tries=[{"height": 99, "shade": "dark"}, {"height": 0.26}])
    assert (1.0, "dark", 3) in planned(live) and (0.3, "light", 3) in planned(live)
    with pytest.raises(KeyError, match="heigth"):
        planned(tiny(tries=[{"heigth": 1}]))


def tiny(tries=()):
    """Return a figure whose parts refer to each other by their ids: hatching, clipping and text."""
    figure = Figure(figsize=(5, 3))
    ax = figure.subplots()

    def update(height, shade, size):
        ax.bar(0.5, height, size / 10, hatch="//", label=f"{height:.1f} & {shade}")
        ax.legend()

    heights, sizes = slider("height", 0, 1, 0.5, step=0.1), steps("size", 7, first=3, step=2)
    return Live(figure, update, tries=tries, height=heights, shade=choice("shade", ["light", "dark"]), size=sizes)


def test_two_figures_on_a_page_share_no_id(html):
    for _ in range(2):
        tiny()._ipython_display_()
    packed = [re.search('<script type="text/plain">(.*?)</script>', each)[1] for each in html]
    later = [zlib.decompress(base64.b64decode(text)).decode() for text in packed]
    ids = [re.findall(r' id=\\?"(.*?)\\?"', first + rest) for first, rest in zip(html, later, strict=True)]
    assert ids[0][0] == "tiny" and ids[1][0] == "tiny-2"
    assert len(set(ids[0] + ids[1])) == len(ids[0] + ids[1]) > 20
