"""A figure under controls is drawn once per burst of events, updated in place, and static where there is no kernel."""

import asyncio
from unittest.mock import Mock

import numpy as np
import pytest
from matplotlib.figure import Figure

from vaehelpers.lessons import live as module
from vaehelpers.lessons.live import Learning, Live, once_per_burst, slider


def test_a_burst_of_events_is_drawn_once_and_the_next_one_again():
    drawn = []
    observer = once_per_burst(lambda: drawn.append(1))

    async def notebook():
        for burst in (1, 2):
            for _ in range(50):
                observer(None)
            assert len(drawn) == burst - 1  # not yet
            await asyncio.sleep(0.02)  # its timer is due after that of the drawing
            assert len(drawn) == burst

    asyncio.run(notebook())
    observer(None)
    assert len(drawn) == 3  # at once outside a notebook


@pytest.fixture
def live():
    figure = Figure(figsize=(4, 3))
    ax = figure.add_subplot()
    ax.axhline(1, gid="fixed")

    def update(height):
        ax.plot([0, 1], [height] * 2, label="now")
        ax.legend()

    return Live(figure, update, height=slider("height", 0, 10, 2))


def test_plots_of_earlier_values_are_removed_and_the_rest_stays(live):
    (ax,) = live.figure.axes
    first = ax.lines[-1].get_color()
    for height in (7, 3):
        before, live.controls["height"].value = live.image.value, height
        fixed, now = ax.lines
        assert fixed.get_gid() == "fixed" and set(now.get_ydata()) == {height} and now.get_color() == first
        assert len(ax.get_legend().get_texts()) == 1 and live.image.value != before


def test_learning_draws_in_one_place(monkeypatch):
    output = Mock()
    monkeypatch.setattr(module, "display", Mock(return_value=output))
    learning = Learning(np.zeros((3, 1, 8, 8)))
    for value in (0, 0.5, 1):
        learning.show(np.full((3, 1, 8, 8), value), f"step {value}")
    module.display.assert_called_once()
    (first,), (second,) = (call.args for call in output.update.call_args_list)
    assert first.data != second.data
