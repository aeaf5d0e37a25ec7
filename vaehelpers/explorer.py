"""The latent explorer: sliders for a model's latents, decoded in the browser, in a notebook or in one HTML file."""

import hashlib
import html
import io
import json
import re
import zlib
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

import anywidget
import matplotlib.style
import numpy as np
import traitlets
from IPython.display import display
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from . import hands, plots
from .arguments import array, instance, shortened, whole
from .datasets import Images
from .files import replacing
from .latents import UNUSED, encode, latent_kl, traverse
from .model import VAE
from .weights import to_bytes

LIMIT = 3  # sliders run from -LIMIT to LIMIT standard deviations of the prior, as in `web/state.js`
_WEB = Path(__file__).parent / "web"
_MODULES = ("product", "network", "hands", "state", "dom", "tools", "explorer")  # each imports only earlier ones
_MAPPED, _SIDE = 200, 32  # number of images on the map, and the size of each in pixels


def bundle(modules: Sequence[str] = _MODULES) -> str:
    """Join modules of ``web`` into one: each but the last becomes an object named after its file."""
    parts = []
    for name in modules:
        source = re.sub(r"^import .*\n", "", (_WEB / f"{name}.js").read_text(encoding="utf-8"), flags=re.M)
        constants: dict[str, Any] = {}
        if name == "hands":
            constants = {key.strip("_"): value for key, value in vars(hands).items() if key.isupper()}
        if name == "product":
            constants = {"WASM": b64encode((_WEB / "product.wasm").read_bytes()).decode()}
        for key, value in constants.items():
            source = f"export const {key} = {json.dumps(value, default=np.ndarray.tolist)};\n{source}"
        if name != modules[-1]:  # the last one keeps the default export for anywidget
            public = ", ".join(re.findall(r"^export (?:async function|function|const) (\w+)", source, re.M))
            body = re.sub(r"^export ", "", source, flags=re.M)
            source = f"const {name} = (() => {{\n{body}return {{ {public} }};\n}})();\n"
        parts.append(source)
    return "\n".join(parts)


class HTMLWidget(anywidget.AnyWidget):
    """A widget that can also be written to one HTML file, which needs no kernel, network or other file."""

    TITLE = KIND = ""  # title and classes of the frame that shows the file in a lesson's page

    def save_html(self, path: str | Path) -> None:
        """Write the widget in its present state to an HTML file. Raises ``OSError`` when it cannot be written."""
        with replacing(Path(path)) as part:
            part.write_text(self.to_html(), encoding="utf-8")

    def to_html(self) -> str:
        """Return the text of the file, which without JavaScript shows a still image."""
        raise NotImplementedError

    def still(self) -> bytes:
        """Return a JPEG image for pages without a kernel."""
        raise NotImplementedError

    def filled(self, template: str, call: str, **parts: str) -> str:
        """Fill a template in ``web`` with the widget's style, its code followed by a ``call``, and further parts."""
        script = f"{self._esm}\n{call};\n"
        hashes = {"style_hash": hashed(self._css), "script_hash": hashed(script)}
        text = (_WEB / template).read_text(encoding="utf-8")
        return Template(text).substitute(style=self._css, script=script, **hashes, **parts)

    def _ipython_display_(self) -> None:
        """Display the widget and its still image as two outputs, since an exporter chooses one format of each."""
        data, metadata = self._repr_mimebundle_() or ({}, {})
        display(data | {"text/plain": type(self).__name__}, metadata=metadata, raw=True)
        display({"image/jpeg": b64encode(self.still()).decode(), "text/plain": "a still image"}, raw=True)


class LatentExplorer(HTMLWidget):
    """Sliders for all latents of a model, those with the highest KL first, beside the image that they decode to.

    ``card`` is the model's card, with the KL and, where known, the name of each latent. ``start`` is the
    initial code ``(latent_dim,)``, to which a button resets; 0 by default. The first 200 of ``images`` are placed on a
    map by their codes. ``z`` is the code ``(latent_dim,)`` of the sliders, within ±3; setting it moves the sliders.
    Raises ``ValueError`` when ``start`` or ``z`` is not a finite number for each latent, and when the card belongs to
    another model.
    """

    _esm = bundle()
    _css = (_WEB / "explorer.css").read_text(encoding="utf-8")
    TITLE, KIND = "Latent explorer", "explorer"
    weights = traitlets.Bytes().tag(sync=True)
    vary = traitlets.List(traitlets.Unicode()).tag(sync=True)  # factors of the true hand, for a model of hands
    images = traitlets.Dict().tag(sync=True)
    z: traitlets.TraitType[Any, Any] = traitlets.TraitType().tag(sync=True)  # `Any` would accept None unvalidated
    start = traitlets.List(traitlets.Float()).tag(sync=True)

    def __init__(
        self,
        model: VAE,
        card: dict[str, Any] | None = None,
        *,
        start: ArrayLike | None = None,
        images: Images | None = None,
    ) -> None:
        card = _checked(card or {}, model.latent_dim)
        mapped: dict[str, Any] = {}
        if images:  # neither None nor empty
            mu, logvar = encode(model, images[:_MAPPED])
            components = np.linalg.svd(mu - mu.mean(axis=0), full_matrices=False)[2][:2]  # PCA of the codes
            mapped = {
                "codes": mu.clip(-LIMIT, LIMIT).astype(float).round(2).tolist(),
                "components": components.round(4).tolist(),
                "thumbnails": _thumbnails(images.pixels[:_MAPPED]),
            }
            card.setdefault("latents", [{"kl": float(kl)} for kl in latent_kl(mu, logvar)])
        card.setdefault("latents", [{}] * model.latent_dim)
        z = np.zeros(model.latent_dim) if start is None else array("start", start, (model.latent_dim,))
        code = z.clip(-LIMIT, LIMIT).tolist()
        self.model, self.card = model, card
        super().__init__(
            weights=to_bytes(model, card),
            vary=list(card.get("vary", ())) if card.get("data") == "hands" else [],
            images=mapped,
            z=code,
            start=code,
        )

    @traitlets.validate("z")
    def _validate_z(self, proposal: dict[str, Any]) -> list[float]:
        return array("z", proposal["value"], (self.model.latent_dim,)).clip(-LIMIT, LIMIT).tolist()

    @property
    def selected(self) -> int:
        """The number of the image on the map that has the code ``z``, or -1; setting it moves the sliders."""
        codes = self.images.get("codes", [])
        return codes.index(self.z) if self.z in codes else -1

    @selected.setter
    def selected(self, number: int) -> None:
        codes = self.images.get("codes", [])
        self.z = codes[whole("selected", number, 0, len(codes) - 1)]

    def to_html(self) -> str:
        """Return the text of the file that ``save_html`` writes."""
        images = dict(self.images)
        if images:
            images["thumbnails"] = b64encode(images["thumbnails"]).decode()
        weights = pack(self.weights)
        traits = {"weights": weights, "vary": self.vary, "images": images, "z": self.z, "start": self.start}
        name = self.card.get("name", "a model")
        return self.filled(
            "page.html",
            "fillPage()",
            title=html.escape(f"Latent explorer: {name}"),
            alt=html.escape(f"Traversal of the {self.model.latent_dim} latents of {name}: a row of images for each."),
            traits=json.dumps(traits).replace("<", "\\u003c"),  # a card cannot close the element
            traversal=b64encode(self.still("webp")).decode(),
        )

    def still(self, kind: str = "jpeg") -> bytes:
        """Return an image file of the traversal: each latent from -3 to +3 in 15 steps."""
        used, unused = order(self.card)
        rows = traverse(self.model, self.z, used + unused)
        with matplotlib.style.context(plots.STYLE):
            figure = Figure(figsize=(10, 1.2 + len(rows) * 0.56))
            labels = [label(self.card, i)[:40] for i in used + unused]  # longer labels leave no room for the images
            plots.plot_traversal(rows, labels, values=np.linspace(-LIMIT, LIMIT, 15), ax=figure.subplots())
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, dpi=72, pil_kwargs={"quality": 50})
        return buffer.getvalue()


def typical_code(model: VAE, card: dict[str, Any], images: Images | None = None) -> NDArray[np.floating]:
    """Return an initial code ``(latent_dim,)`` that usually decodes to a sharper image than 0, the prior's mean, does.

    It is that of an open hand for a model of hands, else that of the first image, else a sample from the prior.
    """
    if card.get("data") == "hands" and model.channels == 1:
        return encode(model, hands.render(hands.neutral()[None], model.size))[0][0]
    if images:  # neither None nor empty
        return encode(model, images[:1])[0][0]
    return np.random.default_rng(0).normal(size=model.latent_dim)


def order(card: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Return the latents in use and the unused ones (KL below 0.1 nats), each with the highest KL first."""
    kl = [latent.get("kl", UNUSED) for latent in card["latents"]]
    ranked = sorted(range(len(kl)), key=lambda i: -kl[i])
    return [i for i in ranked if kl[i] >= UNUSED], [i for i in ranked if kl[i] < UNUSED]


def label(card: dict[str, Any], latent: int) -> str:
    """Return a label for a latent: its name, where there is one, its number and its KL in nats."""
    entry = card["latents"][latent]
    name = "unused" if entry.get("kl", UNUSED) < UNUSED else entry.get("name", "")
    nats = f"{entry['kl']:.2f} nats" if "kl" in entry else ""
    return " · ".join(filter(None, [name, f"z{latent}", nats]))


def _checked(card: dict[str, Any], latent_dim: int) -> dict[str, Any]:
    """Return a copy of a card. Raises ``ValueError`` if the explorer cannot use it."""
    card = dict(instance("card", card, dict))
    latents, vary = card.get("latents", [{}] * latent_dim), card.get("vary", [])
    if not isinstance(latents, list) or len(latents) != latent_dim or not all(map(_is_entry, latents)):
        raise ValueError(f"card: need a dictionary for each of {latent_dim} latents, got {shortened(latents)}")
    if not isinstance(vary, list | tuple) or not all(isinstance(name, str) for name in vary):
        raise ValueError(f"card: need names of the factors that vary, got {shortened(vary)}")
    return card


def _is_entry(entry: Any) -> bool:
    """Return whether a card's entry for a latent is valid: a finite KL and a name, both optional."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name", ""), str):
        return False
    return isinstance(kl := entry.get("kl", 0), int | float) and abs(kl) < np.inf


def _thumbnails(pixels: NDArray[np.uint8]) -> bytes:
    """Return thumbnails of images ``(n, channels, h, w)``, tiled row by row on one square sheet, as WebP."""
    columns = int(np.ceil(np.sqrt(len(pixels))))
    sheet = Image.new("L" if pixels.shape[1] == 1 else "RGB", (columns * _SIDE, columns * _SIDE))
    for k, image in enumerate(pixels):
        small = Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).resize((_SIDE, _SIDE))
        sheet.paste(small, (k % columns * _SIDE, k // columns * _SIDE))
    buffer = io.BytesIO()
    sheet.save(buffer, "webp", quality=70)
    return buffer.getvalue()


def pack(data: bytes) -> str:
    """Return bytes as compressed text for an HTML file; zlib adds a checksum, by which the page detects damage."""
    return b64encode(zlib.compress(data, 9)).decode()


def hashed(text: str) -> str:
    """Return the hash by which a content security policy allows a script or a style sheet."""
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()
