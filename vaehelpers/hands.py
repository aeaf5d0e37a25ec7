"""Draw a hand from ten named factors: images whose factors are known."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import array, generator, whole

Floats = NDArray[np.float32]
#: Of each pixel: signed distance to the edge, height, and how much it faces the viewer, at most 1.
Surface = tuple[Floats, Floats, Floats]


class Factor(NamedTuple):
    """Range of one factor, and the value that it keeps when it does not vary."""

    low: float
    high: float
    neutral: float


#: x, y: shift, in a frame that is 2 wide; size: 1 fills the frame; rotation: radians, clockwise;
#: spread: how far the fingers fan out; the five curls: 0 is stretched, 1 is folded onto the palm.
#: The rotation is kept small: if a rotated finger overlapped its neighbour's place, no latent would separate them.
#: The ranges of x, y, size and rotation are narrow: a wide one would change far more pixels than a finger does.
FACTORS: dict[str, Factor] = {
    "x": Factor(-0.06, 0.06, 0.0),
    "y": Factor(-0.08, 0.08, 0.0),
    "size": Factor(0.7, 1.0, 1.0),
    "rotation": Factor(-0.2, 0.2, 0.0),
    "spread": Factor(0.0, 1.6, 0.6),
    **dict.fromkeys(("thumb", "index", "middle", "ring", "pinky"), Factor(0.0, 1.0, 0.0)),
}

# The hand in its own frame: palm towards you, fingers up, thumb on the left, the middle of the image at (0, 0).
# A finger: knuckle x and y, angle from upright when closed and when fanned out, three bones, width at the knuckle.
_FINGERS = np.array(
    [
        [-0.295, 0.010, 0.00, -0.28, 0.300, 0.205, 0.155, 0.114],
        [-0.090, 0.060, 0.00, -0.06, 0.325, 0.225, 0.165, 0.120],
        [0.120, 0.040, 0.00, 0.16, 0.305, 0.210, 0.160, 0.114],
        [0.305, -0.050, 0.00, 0.40, 0.250, 0.165, 0.135, 0.100],
    ],
    np.float32,
)
_TAPER = np.array([1.0, 0.93, 0.86, 0.76], np.float32)  # width at the knuckle, the joints and the tip
_BEND = np.array([1.30, 1.65, 0.60], np.float32)  # how far the three joints turn in a full curl, radians
# The thumb: its bones turn in the plane of the image; angles from upright, stretched and folded.
_THUMB_BASE = np.array([-0.17, -0.47], np.float32)
_THUMB = np.array([[0.295, -0.95, -0.50], [0.240, -0.78, 0.45], [0.180, -0.66, 1.10]], np.float32)
_THUMB_WIDTHS = np.array([0.165, 0.130, 0.116, 0.095], np.float32)
_THUMB_RISE = np.array([0.10, 0.16, 0.06], np.float32)  # height gained along each bone in a full curl
# The palm: corners of a polygon, clockwise, to be rounded; below it the wrist.
_PALM = np.array(
    [[-0.40, -0.03], [-0.15, 0.11], [0.10, 0.10], [0.395, -0.09], [0.26, -0.58], [-0.27, -0.58]], np.float32
)
_WRIST = (-0.50, -0.64, 0.205)  # top, bottom, half width
_ROUNDING, _THICKNESS, _KNUCKLE = 0.045, 0.085, -0.03
# The bounding box of each part, in the order of painting, from palm to thumb: left, right, bottom, top.
_BOXES = [(-0.5, 0.5, -0.85, 0.2), (-0.25, 0.86, -0.55, 0.8), (-0.19, 0.43, -0.46, 0.89)]
_BOXES += [(-0.3, 0.12, -0.44, 0.91), (-0.73, 0.14, -0.49, 0.86), (-0.85, 0.35, -0.68, 0.4)]
_PALM_TONE, _FINGER_TONE, _TONE_RISE = 0.60, 0.72, 0.65


def sample_factors(n: int, *, vary: Sequence[str] = tuple(FACTORS), rng: np.random.Generator) -> Floats:
    """Draw independent uniform factors ``(n, 10)``, columns as in ``FACTORS``; those not in ``vary`` are neutral.

    Raises ``ValueError`` for an unknown factor, for an ``n`` below 1 and for an ``rng`` that is not a Generator.
    """
    whole("n", n), columns_of(vary), generator("rng", rng)
    columns = [rng.uniform(f.low, f.high, n) if name in vary else np.full(n, f.neutral) for name, f in FACTORS.items()]
    return np.stack(columns, axis=1).astype(np.float32)


def columns_of(vary: Sequence[str]) -> list[int]:
    """Return the columns of some factors; raises ``ValueError`` for an unknown factor."""
    for name in vary:
        if name not in list(FACTORS):  # a list, since an unhashable name would raise TypeError
            raise ValueError(f"vary: {name!r} is not a factor; choose among {', '.join(FACTORS)}")
    return [list(FACTORS).index(name) for name in vary]


def neutral() -> Floats:
    """Return the factors ``(10,)`` of an open hand in the middle of the frame."""
    return np.array([f.neutral for f in FACTORS.values()], np.float32)


def fill(varied: ArrayLike, vary: Sequence[str]) -> Floats:
    """Return all ten factors ``(n, 10)`` from the columns ``(n, len(vary))`` that vary; the others are neutral.

    Raises ``ValueError`` for another shape, a number that is not finite or an unknown factor.
    """
    columns = array("varied", varied, ("n", len(vary)), dtype=np.float32)
    rows = np.tile(neutral(), (len(columns), 1))
    rows[:, columns_of(vary)] = columns
    return rows


def render(factors: ArrayLike, size: int = 64) -> Floats:
    """Draw one hand for each row of factors.

    ``factors`` is ``(n, 10)``, columns as in ``FACTORS``; the images are ``(n, 1, size, size)`` in [0, 1].
    Raises ``ValueError`` for another shape, for a number that is not finite, and for a size below 8.
    """
    rows = array("factors", factors, ("n", len(FACTORS)), dtype=np.float32)
    whole("size", size, 8, 4096)
    chunk = max(1, 2**16 // size**2)  # fits into the processor's cache
    parts = [_render(rows[i : i + chunk], size) for i in range(0, len(rows), chunk)]
    return np.concatenate(parts).reshape(-1, 1, size, size)


def _render(factors: Floats, size: int) -> Floats:
    """Paint the parts of each hand over each other, in arrays ``(n, size²)``; edges are darker than centres."""
    shift_x, shift_y, scale, rotation, spread, thumb, *curls = factors.T[..., None]
    ticks = (np.arange(size, dtype=np.float32) + 0.5) * 2 / size - 1
    dx, dy = np.tile(ticks, size) - shift_x, np.repeat(-ticks, size) - shift_y
    sin, cos, pixel = np.sin(rotation) / scale, np.cos(rotation) / scale, 2 / size / scale
    x, y = cos * dx - sin * dy, sin * dx + cos * dy  # each pixel's place in the hand's own frame
    fingers = [partial(_finger, row, spread, curl) for row, curl in zip(_FINGERS, curls, strict=True)]
    parts: list[Callable[..., Surface]] = [_palm, *fingers[::-1], partial(_thumb, thumb)]
    shade, height = np.zeros_like(x), np.full_like(x, -1)
    for part, (left, right, bottom, top) in zip(parts, _BOXES, strict=True):
        m = pixel.max()  # soft edges need one more pixel
        inside = (x > left - m) & (x < right + m) & (y > bottom - m) & (y < top + m)
        near = inside.any(axis=0)
        edge, high, facing = part(x.compress(near, axis=1), y.compress(near, axis=1))
        cover = np.clip(0.5 - edge / pixel, 0, 1) * np.clip(0.5 + (high - height[:, near]) / 0.04, 0, 1)
        tone = _PALM_TONE if part is _palm else np.clip(_FINGER_TONE + _TONE_RISE * high, _FINGER_TONE, 1)
        shade[:, near] += cover * (tone * (0.5 + 0.5 * facing) - shade[:, near])
        height[:, near] += cover * (high - height[:, near])
    return np.clip(shade, 0, 1)


def _palm(x: Floats, y: Floats) -> Surface:
    """Return the palm: a polygon with rounded corners that blends into the wrist."""
    top, bottom, width = _WRIST
    sides = []
    for (from_x, from_y), (to_x, to_y) in zip(_PALM, np.roll(_PALM, -1, axis=0), strict=True):
        length = np.hypot(to_x - from_x, to_y - from_y)
        sides.append(((to_x - from_x) * (y - from_y) - (to_y - from_y) * (x - from_x)) / length)
    wrist = np.hypot(x, y - np.clip(y, bottom, top)) - width
    edge = -_soft_max([-_soft_max(sides), -wrist])
    facing = _dome(1 - np.clip(-edge / 0.16, 0, 1))
    return edge, _THICKNESS * facing, facing


def _finger(row: Floats, spread: Floats, curl: Floats, x: Floats, y: Floats) -> Surface:
    """Return a finger of three bones that bend towards the viewer: a curl first shortens it, then folds it."""
    (base_x, base_y, closed, fanned), bones, widths = row[:4], row[4:7], row[7] * _TAPER
    angle, bend = closed + spread * (fanned - closed), np.cumsum(_BEND) * curl
    turned = [
        (angle, length * np.cos(b), length * np.sin(b)) for length, b in zip(bones, bend.T[..., None], strict=True)
    ]
    return _bones(x - base_x, y - base_y, _KNUCKLE, turned, widths)


def _thumb(curl: Floats, x: Floats, y: Floats) -> Surface:
    """Return three bones that swing across the palm, mostly in the plane of the image."""
    swung = [
        (stretched + curl * (folded - stretched), np.full_like(curl, length), rise * curl)
        for (length, stretched, folded), rise in zip(_THUMB, _THUMB_RISE, strict=True)
    ]
    return _bones(x - _THUMB_BASE[0], y - _THUMB_BASE[1], 0, swung, _THUMB_WIDTHS)


def _bones(x: Floats, y: Floats, low: Any, bones: list[tuple[Floats, Floats, Floats]], widths: Floats) -> Surface:
    """Return the volume swept by balls along bones that begin at (0, 0) and height ``low``, one after the other.

    Each bone has an angle from upright, a length and the height that it gains; width changes linearly along it.
    """
    edge, height, facing = np.full_like(x, 9), np.full_like(x, -9), np.zeros_like(x)
    for (angle, length, rise), (wide, narrow) in zip(bones, pairwise(widths), strict=True):
        sin, cos = np.sin(angle), np.cos(angle)
        along, across = sin * x + cos * y, cos * x - sin * y
        divisor = np.where(np.abs(length) < 1e-3, np.float32(1e-3), length)
        share = np.clip(along / divisor, 0, 1)
        radius = wide + (narrow - wide) * share
        distance = np.hypot(across, along - share * divisor)
        dome = _dome(np.minimum(distance / radius, 0.9))
        high = low + rise * share + radius * dome - 30 * np.maximum(distance - radius, 0)
        facing = np.where(high > height, dome, facing)
        height = np.maximum(high, height)
        edge = np.minimum(distance - radius, edge)
        x, y, low = x - length * sin, y - length * cos, low + rise
    return edge, height, facing


def _soft_max(distances: list[NDArray[Any]]) -> Floats:
    """Return a maximum with rounded corners: a scaled log-sum-exp."""
    peak = np.maximum.reduce(distances)
    return peak + _ROUNDING * np.log(sum(np.exp((d - peak) / _ROUNDING) for d in distances))


def _dome(ratio: Floats) -> Floats:
    """Return the height of the unit sphere at a distance ``ratio`` from its axis."""
    return np.sqrt(1 - ratio * ratio)
