"""Interactive figures for pages without a kernel: drawn in advance, as SVG, for many values of their controls.

Frames share elements: a frame is a list of indices of SVG elements, most of which also occur in the first frame.
"""

import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, cycle, product
from math import prod
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import ipywidgets as widgets
import matplotlib
import numpy as np
from IPython.display import display
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure

from ..arguments import shortened
from ..explorer import pack
from .live import SCREEN, Live

MAX_FRAMES = 450  # frames for combinations of values
FEW_VALUES = 5  # a control with at most so many values has a frame for each
VALUES_ALONE = 31  # values of one control, while the others are as in an anchor
VALUES_BESIDE_BUTTONS = 3  # the same, around other combinations of buttons
UNITS = 72  # of an SVG, per inch

Options = Mapping[str, list[Any]]  # for each control, its values
State = tuple[int, ...]  # of a figure: for each control, the index of its value


def live_html(live: Live, name: str) -> str:
    """Return a figure as HTML, which ``web/frames.js`` makes interactive; ``name`` becomes its id.

    Without JavaScript it shows the figure for the present values of its controls. Its description is left to the page.
    """
    options = {key: _options(control) for key, control in live.controls.items()}
    presets = _presets(live, options)
    states = states_to_draw(live, options, presets)
    parts: dict[str, int] = {}
    definitions: dict[str, str] = {}
    frames, titles = [], []
    for state in states:
        live.plot(**{key: values[i] for (key, values), i in zip(options.items(), state, strict=True)})
        frames.append([parts.setdefault(part, len(parts)) for part in _draw(live.figure, name, definitions)])
        titles.append(_title(live.figure))
        if state == states[0]:
            drawn = list(parts)
            svg = _svg(live.figure, definitions, [drawn[i] for i in frames[0]])
            cuts = _cuts(live.figure)
            known = len(definitions)
    live.draw()
    later = [_with_id(*item) for item in list(definitions.items())[known:]]
    data = {
        "cuts": cuts,
        "definitions": later,
        "parts": list(parts),
        "frames": frames,
        "titles": titles,
        "states": states,
    }
    controls = [
        {"key": key, "start": i} | _describe(live.controls[key], presets.get(key))
        for key, i in zip(options, states[0], strict=True)
    ]
    described = json.dumps(controls).replace("<", r"\u003c")
    return (
        f'<figure class="live" id="{name}">{svg}<script type="application/json">{described}</script>'
        f'<script type="text/plain">{pack(json.dumps(data).encode())}</script></figure>'
    )


def states_to_draw(live: Live, options: Options, presets: Mapping[str, list[State]]) -> list[State]:
    """Return the states of a figure to draw, the present one first."""
    start = _state(live, options)
    known = [start, *chain(*presets.values())]
    tried = [_nearest(start, options, values) for values in live.tries]
    states = grid([len(values) for values in options.values()], known + tried)
    ways = (zip(*pair, strict=True) for pair in product(known, tried))
    on_the_way = {state for way in ways for state in product(*way)}  # in whatever order the controls are moved
    return states + sorted(on_the_way.difference(states))


def _svg(figure: Figure, definitions: Mapping[str, str], parts: Iterable[str]) -> str:
    width, height = (round(inches * UNITS) for inches in figure.get_size_inches())
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width * SCREEN // UNITS}" role="img" aria-label="">'
        f"<defs>{''.join(map(_with_id, definitions, definitions.values()))}</defs><g>{''.join(parts)}</g></svg>"
    )


def _cuts(figure: Figure) -> list[int]:
    """Return the edges of plots that are side by side, in units of the SVG: phones show one below the other."""
    unit = figure.dpi / UNITS
    spans = sorted((box.x0, box.x1) for ax in figure.axes if (box := ax.get_tightbbox(for_layout_only=True)))
    cuts, end = [], np.inf
    for left, right in spans:
        if left > end:
            cuts.append(round((left + end) / 2 / unit))
        end = right if end == np.inf else max(end, right)
    return [0, *cuts, round(figure.get_figwidth() * UNITS)]


def _with_id(definition: str, id: str) -> str:
    return re.sub(r"^<\w+", rf'\g<0> id="{id}"', definition)


def use_frames() -> None:
    """Display interactive figures by their frames from now on, instead of widgets."""
    numbers: Counter[str] = Counter()

    def display_frames(live: Live) -> None:
        name = getattr(live.update, "__qualname__", "figure").split(".")[0]  # of the function that made the figure
        name = re.sub(r"[^\w-]+", "-", name, flags=re.ASCII)  # for its address
        numbers[name] += 1
        suffix = f"-{numbers[name]}" if numbers[name] > 1 else ""
        display({"text/html": live_html(live, name + suffix), "text/plain": "interactive figure"}, raw=True)

    setattr(Live, "_ipython_display_", display_frames)  # noqa: B010 (a method, for mypy)


def grid(sizes: Sequence[int], anchors: Sequence[State]) -> list[State]:
    """Return the states to draw for controls with ``sizes`` values, the first of ``anchors`` first.

    If there are few, or one control, they are all states. For two controls they are a raster with the values of the
    anchors; for more, a coarse raster and, from each anchor, values of each control while the others keep theirs.
    """
    if len(sizes) == 1 or prod(sizes) <= MAX_FRAMES or max(sizes) <= FEW_VALUES:
        return [anchors[0], *sorted(set(product(*map(range, sizes))) - {anchors[0]})]
    rasters = (_raster(sizes, anchors[0], k) for k in range(MAX_FRAMES, 0, -1))
    raster = next(raster for raster in rasters if prod(map(len, raster)) <= MAX_FRAMES)
    if len(sizes) == 2:
        raster = [values.union(at) for values, at in zip(raster, zip(*anchors, strict=True), strict=True)]
    states = set(product(*raster)).union(anchors)
    if len(sizes) > 2:
        only_buttons = all(len(values) in (1, size) for values, size in zip(raster, sizes, strict=True))
        around = dict.fromkeys(states if only_buttons else (), VALUES_BESIDE_BUTTONS) | dict.fromkeys(
            anchors, VALUES_ALONE
        )
        for (state, n), (c, size) in product(around.items(), enumerate(sizes)):
            states |= {(*state[:c], i, *state[c + 1 :]) for i in _spread(size, n)}
    return [anchors[0], *sorted(states - {anchors[0]})]


def _raster(sizes: Sequence[int], start: State, k: int) -> list[set[int]]:
    """Return for each control all of its values, if few; else ``k`` of them or, if k is 1, that at the start."""
    return [
        _spread(size, size if size <= FEW_VALUES else k) if k > 1 or size <= FEW_VALUES else {i}
        for size, i in zip(sizes, start, strict=True)
    ]


def _spread(size: int, n: int) -> set[int]:
    """Return at most ``n`` of the first ``size`` numbers, evenly spread from the first to the last."""
    return {round(i) for i in np.linspace(0, size - 1, min(n, size))}


def _options(control: widgets.ValueWidget) -> list[Any]:
    """Return all values of a control."""
    if isinstance(control, widgets.Checkbox):
        return [False, True]
    if isinstance(control, widgets.ToggleButtons) and all(isinstance(option, str) for option in control.options):
        return list(control.options)
    if isinstance(control, widgets.IntSlider | widgets.FloatSlider) and re.search(r"\.\d+f|d$", control.readout_format):
        n = int((control.max - control.min) / control.step + 1e-9)
        return [type(control.value)(round(control.min + i * control.step, 10)) for i in range(n + 1)]
    need = "an IntSlider, a FloatSlider with a format such as .2f, a Checkbox, or ToggleButtons with texts"
    raise ValueError(f"controls: need {need}, got {shortened(control)}")


def _describe(control: widgets.ValueWidget, presets: list[State] | None) -> dict[str, Any]:
    """Return what the page needs to know of a control: ``presets`` are the states to which its buttons lead."""
    described: dict[str, Any] = {"label": control.description}
    if isinstance(control, widgets.Checkbox):
        return described | {"kind": "check"}
    if isinstance(control, widgets.ToggleButtons):
        return described | {"kind": "choice", "options": list(control.options), "presets": presets}
    digits = 0 if isinstance(control, widgets.IntSlider) else int(control.readout_format[1:-1])
    return described | {"kind": "range", "min": control.min, "max": control.max, "step": control.step, "digits": digits}


def _state(live: Live, options: Options) -> State:
    """Return the state of a figure: the indices of the values nearest to those of its controls."""
    return _nearest((), options, {key: control.value for key, control in live.controls.items()})


def _nearest(start: State, options: Options, values: Mapping[str, Any]) -> State:
    """Return the state nearest to some ``values``; other controls are as in ``start``."""
    names, state = list(options), list(start) or [0] * len(options)
    for key, value in values.items():
        known = options[key]
        exact = known.index(value) if value in known else int(np.abs(np.subtract(known, value)).argmin())
        state[names.index(key)] = exact
    return tuple(state)


def _presets(live: Live, options: Options) -> dict[str, list[State]]:
    """Return, for each row of buttons that sets other controls too, the states to which its buttons lead."""
    presets = {}
    before = {key: control.value for key, control in live.controls.items()}
    for c, (key, control) in enumerate(live.controls.items()):
        if isinstance(control, widgets.ToggleButtons):
            states = []
            for value in control.options:
                control.value = value
                states.append(_state(live, options))
            if len({(*state[:c], *state[c + 1 :]) for state in states}) > 1:
                presets[key] = states
            for name, value in before.items():
                live.controls[name].value = value
    return presets


def _draw(figure: Figure, name: str, definitions: dict[str, str]) -> Iterator[str]:
    """Yield the SVG elements of a figure; those to which they refer are added to ``definitions``, text to id."""
    (width, height), buffer, dpi = figure.get_size_inches(), io.StringIO(), figure.dpi
    figure.set_dpi(UNITS)
    shown = [image for ax in figure.axes for image in ax.images]
    for each in shown:
        each.set_interpolation("none")  # the browser enlarges the pixels
    coloured = all(each.get_cmap().name != "gray" for each in shown)
    with matplotlib.rc_context({"svg.hashsalt": "", "svg.fonttype": "path"}):
        renderer = RendererSVG(width * UNITS, height * UNITS, buffer, image_dpi=UNITS)
        figure.draw(renderer)
        renderer.finalize()
    figure.set_dpi(dpi)
    text = re.sub(r' xmlns(:xlink)?="[^"]*"', "", buffer.getvalue()).replace("xlink:href", "href")
    root = ElementTree.fromstring(re.sub(r' d="([^"]*)"', lambda match: f' d="{_shorter(match[1])}"', text))
    found: dict[str, Element] = {}
    for group in list(root.iter()):
        for defs in group.findall("defs"):
            found |= {element.attrib.pop("id"): element for element in defs if "id" in element.attrib}
            group.remove(defs)
        for marker in (use for use in group.findall("use") if "x" in use.attrib):  # drawn faster as a path
            path = found[marker.attrib["href"][1:]].attrib
            style = "; ".join(dict.fromkeys(each["style"] for each in (marker.attrib, path) if "style" in each))
            place = f"translate({marker.attrib['x']} {marker.attrib['y']})"
            marker.tag, marker.attrib = "path", path | {"style": style, "transform": place}
        for image in group.findall("image"):  # equal images at several places are stored once
            placed = {key: image.attrib.pop(key) for key in ("x", "y", "transform", "opacity") if key in image.attrib}
            if coloured:
                image.attrib["class"] = "map"  # which dark pages invert, since they invert the numbers on it
            id = image.attrib.pop("id")
            image.tag, image.attrib, found[id] = "use", placed | {"href": f"#{id}"}, Element("image", image.attrib)

    def refer(match: re.Match[str]) -> str:
        if match[1] not in found:  # a colour
            return match[0]
        return "#" + definitions.setdefault(_text(found[match[1]]), f"{name}.{len(definitions)}")

    for element in _leaves(root):
        yield re.sub(r"#([\w-]+)", refer, _text(element))


def _leaves(group: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """Yield the elements of a group, without groups that only name their elements."""
    for element in group:
        element.attrib.pop("id", None)
        if element.tag == "g" and not element.attrib:
            yield from _leaves(element)
        elif element.tag != "metadata":
            yield element


def _shorter(path: str) -> str:
    """Return a path with relative commands, rounded to 0.1 pt from its start, so that equal shapes have equal texts."""
    shorter: list[str] = []
    first, here = [0.0, 0.0], [0.0, 0.0]
    for kind, numbers in re.findall("([A-Za-z])([^A-Za-z]*)", path):
        points = [float(x) for x in numbers.split()]
        if not shorter:
            first = points
        offsets = [round(x - x0, 1) for x, x0 in zip(points, cycle(first))]
        before = [-round(x, 1) for x in first] if kind == "M" else here
        relative = " ".join(f"{round(x - x0, 1) + 0.0:g}" for x, x0 in zip(offsets, cycle(before)))
        shorter.append((kind if kind == "M" else kind.lower()) + relative)
        here = offsets[-2:] or here
    return "".join(shorter)


def _text(element: ElementTree.Element) -> str:
    element.tail = None
    text = ElementTree.tostring(element, encoding="unicode")
    return re.sub(r"\s+", " ", text).replace(" />", "/>").replace("> <", "><")


def _title(figure: Figure) -> str:
    """Return the titles of a figure's plots as plain text."""
    titles = [ax.get_title(place) for ax in figure.axes for place in ("left", "center")]
    return re.sub(r"\$|\\math\w+|[{}]", "", "; ".join(filter(None, titles)))
