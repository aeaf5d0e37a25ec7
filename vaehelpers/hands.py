"""A hand drawn from ten named factors: the course's own data, with the truth behind every picture."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]
Pair = tuple[Any, Any]


class Factor(NamedTuple):
    """Range of one factor, and the value that it keeps when it does not vary."""

    low: float
    high: float
    neutral: float


#: x, y: shift, in a frame that is 2 wide; size: 1 fills the frame; rotation: radians, clockwise;
#: spread: how far the fingers fan out; the five curls: 0 is stretched, 1 is folded onto the palm.
FACTORS: dict[str, Factor] = {
    "x": Factor(-0.1, 0.1, 0.0),
    "y": Factor(-0.1, 0.1, 0.0),
    "size": Factor(0.6, 1.0, 1.0),
    "rotation": Factor(-0.4, 0.4, 0.0),
    "spread": Factor(0.0, 1.0, 0.6),
    "thumb": Factor(0.0, 1.0, 0.0),
    "index": Factor(0.0, 1.0, 0.0),
    "middle": Factor(0.0, 1.0, 0.0),
    "ring": Factor(0.0, 1.0, 0.0),
    "pinky": Factor(0.0, 1.0, 0.0),
}

# The hand in its own frame: palm towards you, fingers up, thumb on the left, the middle of the picture at (0, 0).
# A finger: knuckle x and y, angle from upright when closed and when fanned out, three bones, width at the knuckle.
_FINGERS = np.array(
    [
        [-0.295, 0.010, 0.00, -0.28, 0.300, 0.205, 0.155, 0.114],
        [-0.090, 0.060, 0.00, -0.06, 0.325, 0.225, 0.165, 0.120],
        [0.120, 0.040, 0.00, 0.16, 0.305, 0.210, 0.160, 0.114],
        [0.305, -0.050, 0.00, 0.40, 0.250, 0.165, 0.135, 0.100],
    ]
)
_TAPER = np.array([1.0, 0.93, 0.86, 0.76], np.float32)  # width at the knuckle, the joints and the tip
_BEND = np.array([1.30, 1.65, 0.60])  # how far the three joints turn in a full curl, radians
# The thumb: its bones turn in the plane of the picture; angles from upright, stretched and folded.
_THUMB_BASE = np.array([-0.17, -0.47])
_THUMB = np.array([[0.295, -0.95, -0.50], [0.240, -0.78, 0.45], [0.180, -0.66, 1.10]])
_THUMB_WIDTHS = np.array([0.165, 0.130, 0.116, 0.095], np.float32)
_THUMB_RISE = np.array([0.10, 0.16, 0.06])  # height won along each bone in a full curl
# The palm: corners of a polygon, clockwise, to be rounded; below it the wrist.
_PALM = np.array([[-0.40, -0.03], [-0.15, 0.11], [0.10, 0.10], [0.395, -0.09], [0.26, -0.58], [-0.27, -0.58]])
_ROUNDING, _THICKNESS, _WRIST = 0.045, 0.085, (-0.50, -0.64, 0.205)
_PALM_TONE, _FINGER_TONE, _TONE_RISE = 0.55, 0.55, 0.75


def sample_factors(n: int, *, vary: Sequence[str] = tuple(FACTORS), rng: np.random.Generator) -> Floats:
    """Draw independent uniform factors; the ones not in ``vary`` stay neutral.

    Returns an array ``(n, 10)``, its columns in the order of ``FACTORS``.
    Raises ``ValueError`` for a name that is no factor.
    """
    for name in vary:
        if name not in FACTORS:
            raise ValueError(f"vary: {name!r} is not a factor; choose among {', '.join(FACTORS)}")
    columns = [
        rng.uniform(f.low, f.high, n) if name in vary else np.full(n, f.neutral) for name, f in FACTORS.items()
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def render(factors: ArrayLike, size: int = 64) -> Floats:
    """Draw one hand for each row of factors.

    ``factors`` is ``(n, 10)``, columns as in ``FACTORS``; the pictures are ``(n, 1, size, size)`` in [0, 1].
    Raises ``ValueError`` for another shape, for a number that is not finite, and for a size below 8.
    """
    rows = np.asarray(factors, np.float32)
    if rows.ndim != 2 or rows.shape[1] != len(FACTORS):
        raise ValueError(f"factors: need shape (n, {len(FACTORS)}), got {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError("factors: every value must be finite")
    if size < 8:
        raise ValueError(f"size: need at least 8 pixels, got {size}")
    chunk = max(1, 2**16 // size**2)  # what fits the cache
    parts = [_render(rows[i : i + chunk], size) for i in range(0, len(rows), chunk)]
    return np.concatenate(parts).reshape(-1, 1, size, size) if parts else np.empty((0, 1, size, size), np.float32)


def _render(factors: Floats, size: int) -> Floats:
    spread, thumb = factors[:, 4], factors[:, 5]
    frame = _Frame(factors, size)
    canvas = _Canvas(frame)
    canvas.paint(*_palm(frame), tone=_PALM_TONE)
    for finger in (3, 2, 1, 0):
        canvas.paint(*_finger(frame, _FINGERS[finger], spread, factors[:, 6 + finger]))
    canvas.paint(*_thumb(frame, thumb))
    return canvas.shade


class _Frame:
    """The pixels in the hand's own coordinates, where a distance along a direction is affine in the pixel."""

    def __init__(self, factors: Floats, size: int) -> None:
        ticks = ((np.arange(size) + 0.5) * 2 / size - 1).astype(np.float32)
        self.grid = np.stack([np.tile(ticks, size), np.repeat(-ticks, size), np.ones(size**2, np.float32)])
        self.x, self.y, self.scale, self.rotation = factors[:, :4].T
        self.pixel = (2 / size / self.scale)[:, None]

    def along(self, angle: ArrayLike, start: ArrayLike) -> Floats:
        """Distance ``(n, pixels)`` from ``start`` (2, …) along ``angle``, clockwise from upright."""
        turned = self.rotation + np.asarray(angle)
        a, b = np.sin(turned) / self.scale, np.cos(turned) / self.scale
        shift = a * self.x + b * self.y + np.sin(angle) * np.asarray(start)[0] + np.cos(angle) * np.asarray(start)[1]
        return np.stack([a, b, -shift], axis=1).astype(np.float32) @ self.grid


class _Canvas:
    """Shade and height of what has been painted so far; a higher surface covers a lower one."""

    def __init__(self, frame: _Frame) -> None:
        self.pixel = frame.pixel
        self.shade = np.zeros((len(frame.x), frame.grid.shape[1]), np.float32)
        self.height = np.full_like(self.shade, -1)

    def paint(self, edge: Floats, height: Floats, facing: Floats, tone: Floats | float) -> None:
        """Lay a shape over the canvas: signed distance to its edge, surface height, and how much it faces you."""
        cover = np.clip(0.5 - edge / self.pixel, 0, 1)
        cover *= np.clip(0.5 + (height - self.height) / 0.04, 0, 1)
        self.shade += cover * (tone * (0.4 + 0.6 * facing) - self.shade)
        self.height += cover * (height - self.height)


def _palm(frame: _Frame) -> tuple[Floats, Floats, Floats]:
    """One shape: a polygon with rounded corners, joined smoothly to the wrist."""
    edge = _soft_max([_side(frame, a, b) for a, b in zip(_PALM, np.roll(_PALM, -1, axis=0), strict=True)])
    top, bottom, width = _WRIST
    down = frame.along(np.pi, (0, top))
    wrist = np.hypot(frame.along(np.pi / 2, (0, 0)), down - np.clip(down, 0, top - bottom)) - width
    edge = -_soft_max([-edge, -wrist])
    facing = _round(1 - np.clip(-edge / 0.16, 0, 1))
    return edge, _THICKNESS * facing, facing


def _finger(frame: _Frame, row: NDArray, spread: Floats, curl: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Three bones in a plane that stands upright on the palm: seen from the front, a curl shortens them."""
    knuckle, fan, bones, width = row[:2], row[2] + spread * (row[3] - row[2]), row[4:7], row[7]
    bend = np.cumsum(_BEND) * curl[:, None]
    stations = np.cumsum(bones * np.cos(bend), axis=1, dtype=np.float32).T
    heights = np.cumsum(bones * np.sin(bend), axis=1, dtype=np.float32).T - 0.03
    place, across = frame.along(fan, knuckle), frame.along(fan + np.pi / 2, knuckle)
    start, low, surface = np.zeros_like(curl), np.full_like(curl, -0.03), _Surface(across)
    for end, high, widths in zip(stations, heights, pairwise(width * _TAPER), strict=True):
        surface.add(place, across, (start, end), (low, high), widths)
        start, low = end, high
    return surface.layers()


def _thumb(frame: _Frame, curl: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Three bones that swing across the palm, mostly in the plane of the picture."""
    start = np.tile(_THUMB_BASE[:, None], len(curl))
    low, zero = np.full_like(curl, 0.0), np.zeros_like(curl)
    surface = _Surface(np.empty((len(curl), frame.grid.shape[1]), np.float32))
    for (length, stretched, folded), rise, widths in zip(_THUMB, _THUMB_RISE, pairwise(_THUMB_WIDTHS), strict=True):
        angle = stretched + curl * (folded - stretched)
        high = (low + rise * curl).astype(np.float32)
        place, across = frame.along(angle, start), frame.along(angle + np.pi / 2, start)
        surface.add(place, across, (zero, zero + np.float32(length)), (low, high), widths)
        start = start + length * np.stack([np.sin(angle), np.cos(angle)])
        low = high
    return surface.layers()


class _Surface:
    """The upper surface of several bones, each a ball swept from one joint to the next."""

    def __init__(self, like: Floats) -> None:
        self.edge = np.full_like(like, 9)
        self.height, self.facing = np.full_like(like, -9), np.zeros_like(like)

    def add(self, place: Floats, across: Floats, ends: Pair, heights: Pair, widths: Pair) -> None:
        """Add a bone between two stations along its direction; its height and width change evenly between them."""
        (start, end), (low, high) = ends, heights
        nearest = np.clip(place, np.minimum(start, end)[:, None], np.maximum(start, end)[:, None])
        distance = np.sqrt(across**2 + (place - nearest) ** 2)
        length = end - start
        share = (nearest - start[:, None]) / np.where(np.abs(length) < 1e-3, np.float32(1e-3), length)[:, None]
        radius = widths[0] + (widths[1] - widths[0]) * share
        facing = _round(np.minimum(distance / radius, 1))
        distance -= radius
        height = low[:, None] + (high - low)[:, None] * share + radius * facing - 30 * np.maximum(distance, 0)
        np.copyto(self.facing, facing, where=height > self.height)
        np.maximum(self.height, height, out=self.height)
        np.minimum(self.edge, distance, out=self.edge)

    def layers(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Edge, height, facing and tone: the nearer to you, the brighter."""
        return self.edge, self.height, self.facing, np.clip(_FINGER_TONE + _TONE_RISE * self.height, 0.3, 1)


def _side(frame: _Frame, a: NDArray, b: NDArray) -> Floats:
    """Signed distance to the line from ``a`` to ``b``, positive on its left."""
    return frame.along(np.arctan2(b[0] - a[0], b[1] - a[1]) - np.pi / 2, a)


def _soft_max(distances: list[Floats]) -> Floats:
    """A maximum whose corners are rounded."""
    peak = np.maximum.reduce(distances)
    return peak + _ROUNDING * np.log(sum(np.exp((d - peak) / _ROUNDING) for d in distances))


def _round(ratio: Floats) -> Floats:
    """Height of a unit circle over a point at ``ratio`` from its middle."""
    return np.sqrt(1 - ratio * ratio)
