"""Draw a hand from ten named factors: images whose factors are known."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import array, generator, whole

Floats = NDArray[np.float32]
Pair = tuple[Any, Any]  # arrays or numbers at the two ends of a bone


class Factor(NamedTuple):
    """Range of one factor, and the value that it keeps when it does not vary."""

    low: float
    high: float
    neutral: float


#: x, y: shift, in a frame that is 2 wide; size: 1 fills the frame; rotation: radians, clockwise;
#: spread: how far the fingers fan out; the five curls: 0 is stretched, 1 is folded onto the palm.
#: The rotation is kept small: if a rotated finger overlapped its neighbour's place, no latent would separate them.
FACTORS: dict[str, Factor] = {
    "x": Factor(-0.09, 0.09, 0.0),
    "y": Factor(-0.09, 0.09, 0.0),
    "size": Factor(0.6, 1.0, 1.0),
    "rotation": Factor(-0.2, 0.2, 0.0),
    "spread": Factor(0.0, 1.0, 0.6),
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
_PALM_TONE, _FINGER_TONE, _TONE_RISE = 0.60, 0.72, 0.65


def sample_factors(n: int, *, vary: Sequence[str] = tuple(FACTORS), rng: np.random.Generator) -> Floats:
    """Draw independent uniform factors ``(n, 10)``, columns as in ``FACTORS``; those not in ``vary`` are neutral.

    Raises ``ValueError`` for an unknown factor, for a negative ``n`` and for an ``rng`` that is no Generator.
    """
    whole("n", n, 0), columns_of(vary), generator("rng", rng)
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
    rows = array("factors", factors, dtype=np.float32)
    if rows.ndim != 2 or rows.shape[1] != len(FACTORS):
        raise ValueError(f"factors: need shape (n, {len(FACTORS)}), got {rows.shape}")
    whole("size", size, 8, 4096)
    chunk = max(1, 2**16 // size**2)  # fits into the processor's cache
    parts = [_render(rows[i : i + chunk], size) for i in range(0, len(rows), chunk)]
    return np.concatenate(parts).reshape(-1, 1, size, size) if parts else np.empty((0, 1, size, size), np.float32)


class _Hand:
    """The images being painted, as flat arrays: each pixel's place in the hand's own frame, shade and height."""

    def __init__(self, factors: Floats, size: int) -> None:
        x, y, scale, rotation = factors[:, :4].T
        ticks = ((np.arange(size) + 0.5) * 2 / size - 1).astype(np.float32)
        grid = np.stack([np.tile(ticks, size), np.repeat(-ticks, size), np.ones(size**2, np.float32)])
        sin, cos = np.sin(rotation) / scale, np.cos(rotation) / scale
        self.x = (np.stack([cos, -sin, sin * y - cos * x], axis=1) @ grid).ravel()
        self.y = (np.stack([sin, cos, -sin * x - cos * y], axis=1) @ grid).ravel()
        self.pixel = (2 / size / scale).astype(np.float32)
        self.shade, self.height = np.zeros_like(self.x), np.full_like(self.x, -1)


class _Surface:
    """A part of the hand over the pixels of a box in the hand's frame, as flat arrays."""

    def __init__(self, hand: _Hand, left: float, right: float, bottom: float, top: float) -> None:
        m = hand.pixel.max()  # soft edges need one more pixel
        inside = (hand.x > left - m) & (hand.x < right + m) & (hand.y > bottom - m) & (hand.y < top + m)
        self.hand, self.index = hand, np.flatnonzero(inside)
        self.image = self.index // (len(hand.x) // len(hand.pixel))  # the image that each pixel belongs to
        self.x, self.y = hand.x[self.index], hand.y[self.index]
        self.edge, self.height = np.full_like(self.x, 9), np.full_like(self.x, -9)  # edge: signed distance from it
        self.facing = np.zeros_like(self.x)  # 1 where the surface faces you

    def axes(self, angle: NDArray, x: NDArray, y: NDArray) -> tuple[Floats, Floats]:
        """Return distances along and across a direction from a point: one of each per image, clockwise from upright."""
        sin, cos = np.sin(angle)[self.image], np.cos(angle)[self.image]
        dx, dy = self.x - x[self.image], self.y - y[self.image]
        return sin * dx + cos * dy, cos * dx - sin * dy

    def add_bone(self, along: Floats, across: Floats, ends: Pair, heights: Pair, widths: Pair) -> None:
        """Add a bone: the volume swept by a ball whose height and width change linearly between two ends."""
        (start, end), (low, high) = [[value[self.image] for value in pair] for pair in (ends, heights)]
        length = np.where(np.abs(end - start) < 1e-3, np.float32(1e-3), end - start)
        share = np.clip((along - start) / length, 0, 1)
        radius = widths[0] + (widths[1] - widths[0]) * share
        distance = np.hypot(across, along - start - share * length)
        facing = _dome(np.minimum(distance / radius, 0.9))
        height = low + (high - low) * share + radius * facing - 30 * np.maximum(distance - radius, 0)
        self.facing = np.where(height > self.height, facing, self.facing)
        self.height = np.maximum(height, self.height)
        self.edge = np.minimum(distance - radius, self.edge)

    def paint(self, tone: Floats | float) -> None:
        """Paint the surface where it is the highest so far; its edge is darker than its centre."""
        shade, height = self.hand.shade[self.index], self.hand.height[self.index]
        cover = np.clip(0.5 - self.edge / self.hand.pixel[self.image], 0, 1)
        cover *= np.clip(0.5 + (self.height - height) / 0.04, 0, 1)
        self.hand.shade[self.index] = shade + cover * (tone * (0.5 + 0.5 * self.facing) - shade)
        self.hand.height[self.index] = height + cover * (self.height - height)


def _render(factors: Floats, size: int) -> Floats:
    hand = _Hand(factors, size)
    _palm(hand).paint(_PALM_TONE)
    fingers = [_finger(hand, _FINGERS[i], factors[:, 4], factors[:, 6 + i]) for i in (3, 2, 1, 0)]
    for part in (*fingers, _thumb(hand, factors[:, 5])):
        part.paint(np.clip(_FINGER_TONE + _TONE_RISE * part.height, _FINGER_TONE, 1))  # higher is brighter
    return np.clip(hand.shade, 0, 1)


def _palm(hand: _Hand) -> _Surface:
    """Return a polygon with rounded corners that runs smoothly into the wrist."""
    top, bottom, width = _WRIST
    palm = _Surface(hand, -0.5, 0.5, bottom - width, 0.2)
    sides = []
    for (x, y), (to_x, to_y) in zip(_PALM, np.roll(_PALM, -1, axis=0), strict=True):
        length = np.hypot(to_x - x, to_y - y)
        sides.append(((to_x - x) * (palm.y - y) - (to_y - y) * (palm.x - x)) / length)
    wrist = np.hypot(palm.x, palm.y - np.clip(palm.y, bottom, top)) - width
    palm.edge = -_soft_max([-_soft_max(sides), -wrist])
    palm.facing = _dome(1 - np.clip(-palm.edge / 0.16, 0, 1))
    palm.height = _THICKNESS * palm.facing
    return palm


def _finger(hand: _Hand, row: Floats, spread: Floats, curl: Floats) -> _Surface:
    """Return three bones that turn in a plane upright on the palm: a curl first shortens, then folds them."""
    (x, y, closed, fanned), bones, widths = row[:4], row[4:7], row[7] * _TAPER
    reach, back = bones.sum() + widths[0], -0.45
    sides = [x + r * np.sin(a) for r in (reach, back) for a in (closed, fanned)]
    finger = _Surface(hand, min(sides) - widths[0], max(sides) + widths[0], y + back, y + reach)
    axes = finger.axes(closed + spread * (fanned - closed), np.full_like(curl, x), np.full_like(curl, y))
    bend = np.cumsum(_BEND) * curl[:, None]
    stations = np.cumsum(bones * np.cos(bend), axis=1, dtype=np.float32).T
    heights = np.cumsum(bones * np.sin(bend), axis=1, dtype=np.float32).T + _KNUCKLE
    joints = pairwise([np.zeros_like(curl), *stations]), pairwise([np.full_like(curl, _KNUCKLE), *heights])
    for bone in zip(*joints, pairwise(widths), strict=True):
        finger.add_bone(*axes, *bone)
    return finger


def _thumb(hand: _Hand, curl: Floats) -> _Surface:
    """Return three bones that swing across the palm, mostly in the plane of the image."""
    thumb = _Surface(hand, -0.85, 0.35, -0.68, 0.4)
    x, y, low = (np.full_like(curl, v) for v in (*_THUMB_BASE, 0))
    for (length, stretched, folded), rise, widths in zip(_THUMB, _THUMB_RISE, pairwise(_THUMB_WIDTHS), strict=True):
        angle, high = stretched + curl * (folded - stretched), low + rise * curl
        ends = np.zeros_like(curl), np.full_like(curl, length)
        thumb.add_bone(*thumb.axes(angle, x, y), ends, (low, high), widths)
        x, y, low = x + length * np.sin(angle), y + length * np.cos(angle), high
    return thumb


def _soft_max(distances: list[Floats]) -> Floats:
    """Return a maximum with rounded corners: a scaled log-sum-exp."""
    peak = np.maximum.reduce(distances)
    return peak + _ROUNDING * np.log(sum(np.exp((d - peak) / _ROUNDING) for d in distances))


def _dome(ratio: Floats) -> Floats:
    """Return the height of the unit sphere at a distance ``ratio`` from its axis."""
    return np.sqrt(1 - ratio * ratio)
