"""One figure under controls: drawn once a burst, moved in place, and a picture where no kernel answers."""

import asyncio
import base64

import numpy as np
from matplotlib.figure import Figure

from vaehelpers.lessons import live as module
from vaehelpers.lessons.live import Live, choice, once_per_burst, slider, steps


def test_a_burst_of_events_is_drawn_once_and_the_next_one_again():
    drawn = []
    ask = once_per_burst(lambda: drawn.append(1))

    async def notebook():
        for burst in (1, 2):
            for _ in range(50):
                ask(None)
            assert len(drawn) == burst - 1  # not yet
            await asyncio.sleep(0.02)
            assert len(drawn) == burst

    asyncio.run(notebook())
    ask(None)
    assert len(drawn) == 3  # outside a notebook nothing waits


def line_under_slider(moving):
    figure = Figure(figsize=(4, 3))
    ax = figure.add_subplot()
    (line,) = ax.plot([0, 1], [0, 0])
    ax.set_ylim(0, 10)
    options = {"moving": [line]} if moving else {}
    return Live(figure, lambda height: line.set_ydata([height] * 2), height=slider("height", 0, 10, 2), **options)


def test_what_moves_is_drawn_over_the_background_as_a_whole_drawing_would_be():
    pictures = []
    for moving in (True, False):
        live = line_under_slider(moving)
        live.controls["height"].value = 7
        pictures.append(np.asarray(live.canvas.buffer_rgba()).copy())
        assert live.figure.axes[0].lines[0].get_ydata() == [7, 7]
        assert base64.b64decode(live._repr_mimebundle_()["image/png"]) == live.image.value
    rows = [np.flatnonzero((picture[:, 160, :3] != 255).any(axis=1)) for picture in pictures]
    np.testing.assert_array_equal(*rows)  # a column of pixels through frame and line, from top to bottom


def test_the_picture_for_pages_without_a_kernel_is_an_output_of_its_own(monkeypatch):
    shown = []
    monkeypatch.setattr(module, "display", lambda data, metadata=None, *, raw: shown.append((data, metadata)))
    live = line_under_slider(moving=False)
    live._ipython_display_()
    (controls, _), (picture, about) = shown
    assert controls["application/vnd.jupyter.widget-view+json"]["model_id"] == live.model_id
    assert "image/png" not in controls  # exporters show one kind of each output, and some both
    assert base64.b64decode(picture["image/png"]) == live.image.value
    assert about == {"image/png": {"width": 320}}  # no height, which a narrow page would keep
    assert "live-figure" in live._dom_classes and ".live-figure" in live.children[-1].value  # hides the picture


def test_controls_say_their_name_and_keep_their_limits():
    fine = slider("mean", -3, 3, 0.5)
    assert (fine.description, fine.min, fine.max, fine.value, fine.step) == ("mean", -3, 3, 0.5, 0.01)
    whole = steps("half-step", 9, first=2)
    assert (whole.description, whole.min, whole.max, whole.value, whole.step) == ("half-step", 2, 9, 2, 1)
    assert steps("step", 9, value=4).value == 4
    buttons = choice("way", ["a", "b"], value="b")
    assert (buttons.description, buttons.options, buttons.value) == ("way", ("a", "b"), "b")
