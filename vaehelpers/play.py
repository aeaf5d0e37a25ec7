"""The playground: a VAE that learns in the page and that the reader steers, in a notebook or in one HTML file."""

import io
import json
import re
from base64 import b64encode
from pathlib import Path

import numpy as np
import traitlets
from PIL import Image
from sklearn.datasets import load_digits

from .explorer import HTMLWidget, bundle, pack

_WEB = Path(__file__).parent / "web"
_WORKER = ("product", "vae", "posterior", "trainer")
_PAGE = ("hands", "dom", "scenes", "samples", "drawing", "views", "charts", "play")


def _script() -> str:
    """Join the page's modules; constants hold the worker's modules and the digits (64 pixels from 0 to 16; class)."""
    digits = load_digits()
    packed = pack(np.column_stack([digits.data, digits.target]).astype(np.uint8).tobytes())
    worker = json.dumps(bundle(_WORKER))
    return f"const TRAINER = {worker};\nconst DIGITS = {json.dumps(packed)};\n{bundle(_PAGE)}"


class Play(HTMLWidget):
    """A small VAE that learns in the browser, with views of what it learns and controls that steer it.

    ``scene`` names the settings that it starts with, one of ``Play.SCENES``.
    Raises ``ValueError`` for another name.
    """

    _esm = _script()
    _css = (_WEB / "play.css").read_text(encoding="utf-8")
    TITLE, KIND = "Playground", "explorer playground"
    #: The names of the scenes.
    SCENES = tuple(re.findall(r"^  (\w+): {\n    title:", _esm, re.M))
    scene = traitlets.Unicode().tag(sync=True)

    def __init__(self, scene: str = SCENES[0]) -> None:
        if scene not in self.SCENES:
            raise ValueError(f"scene: need one of {', '.join(self.SCENES)}, got {scene!r}")
        super().__init__(scene=scene)

    def to_html(self) -> str:
        """Return the text of the file that ``save_html`` writes."""
        still = b64encode((_WEB / f"play-{self.scene}.webp").read_bytes()).decode()
        return self.filled("play.html", f"fillPage({json.dumps(self.scene)})", still=still)

    def still(self) -> bytes:
        """Return a JPEG image of the playground at the end of the scene."""
        buffer = io.BytesIO()
        Image.open(_WEB / f"play-{self.scene}.webp").convert("RGB").save(buffer, "jpeg", quality=80)
        return buffer.getvalue()
