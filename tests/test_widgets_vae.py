"""Lesson 06: the buttons of the overlap lab set its sliders, and pictures of a learning model stay in one place."""

import numpy as np
import pytest

from vaehelpers.lessons import lesson06
from vaehelpers.lessons import lesson06 as vae


@pytest.mark.parametrize("way", ["1 apart", "2 narrow", "3 similar", "overlapping"])
def test_a_button_sets_the_sliders(way):
    lab = lesson06.overlap_lab()
    lab.controls["mean_1"].value = 1.1
    lab.controls["way"].value = "2 narrow" if way == "overlapping" else "overlapping"
    lab.controls["way"].value = way
    values = [lab.controls[name].value for name in ("mean_1", "mean_2", "sd_1", "sd_2")]
    assert values == [*vae._WAYS[way][0], *vae._WAYS[way][1]]
    bars = lab.figure.axes[2].texts
    assert bars[4].get_text() == bars[list(vae._WAYS).index(way)].get_text()


def test_a_slider_moves_the_numbers():
    lab = lesson06.overlap_lab()
    before, shown = lab.picture.value, lab.figure.axes[2].texts[4].get_text()
    lab.controls["sd_2"].value = 0.3
    now = lesson06.bargain((-0.6, 0.6), (1.0, 0.3), vae._pair("overlapping"))
    assert lab.picture.value != before and lab.figure.axes[2].texts[4].get_text() != shown
    assert f"{now.lost:.2f} + {now.prices.mean():.2f}" in lab.figure.axes[2].texts[4].get_text()
    assert f"{now.overlap:.2f}" in lab.figure.axes[0].get_title()


def test_the_three_ways_out_are_worth_it():
    known = {way: lesson06.bargain(*setting, vae._pair(way)) for way, setting in vae._WAYS.items()}
    given_away = {way: b.lost + b.prices.mean() for way, b in known.items()}
    assert all(given_away[way] < given_away["overlapping"] for way in list(known)[1:])
    np.testing.assert_array_equal(known["3 similar"].prices, known["overlapping"].prices)  # the third way is free


def test_learning_draws_in_one_place(monkeypatch):
    shown, updated = [], []

    class Place:
        def update(self, picture):
            updated.append(picture)

    monkeypatch.setattr(vae, "display", lambda picture, display_id: shown.append(picture) or Place())
    learning = lesson06.Learning(np.zeros((3, 1, 8, 8)))
    learning.show(np.zeros((3, 1, 8, 8)), "step 0")
    learning.show(np.ones((3, 1, 8, 8)), "step 1")
    assert (len(shown), len(updated)) == (1, 1) and shown[0].data != updated[0].data
