"""The playground: a VAE that learns in the page and that the reader steers, in a notebook or in one HTML file."""

import io
import json
import re
from base64 import b64encode
from pathlib import Path
from string import Template

import anywidget
import numpy as np
import traitlets
from IPython.display import display
from PIL import Image
from sklearn.datasets import load_digits

from .explorer import bundle, hashed, pack
from .files import replacing

_WEB = Path(__file__).parent / "web"
_WORKER = ("product", "vae", "posterior", "trainer")
_PAGE = ("hands", "dom", "scenes", "samples", "drawing", "views", "charts", "play")


def _script() -> str:
    """Join the page's modules; constants hold the worker's modules and the digits (64 pixels from 0 to 16; class)."""
    digits = load_digits()
    packed = pack(np.column_stack([digits.data, digits.target]).astype(np.uint8).tobytes())
    worker = json.dumps(bundle(_WORKER))
    return f"const TRAINER = {worker};\nconst DIGITS = {json.dumps(packed)};\n{bundle(_PAGE)}"


class Play(anywidget.AnyWidget):
    """A small VAE that learns in the browser, with views of what it learns and controls that steer it.

    ``scene`` names the settings that it starts with, one of ``Play.SCENES``.
    Raises ``ValueError`` for another name.
    """

    _esm = _script()
    _css = (_WEB / "play.css").read_text(encoding="utf-8")
    #: The names of the scenes.
    SCENES = tuple(re.findall(r"^  (\w+): {\n    title:", _esm, re.M))
    scene = traitlets.Unicode().tag(sync=True)

    def __init__(self, scene: str = SCENES[0]) -> None:
        if scene not in self.SCENES:
            raise ValueError(f"scene: need one of {', '.join(self.SCENES)}, got {scene!r}")
        super().__init__(scene=scene)

    def save_html(self, path: str | Path) -> None:
        """Write the playground to one HTML file that needs no kernel, network or other file.

        Raises ``OSError`` when ``path`` cannot be written.
        """
        with replacing(Path(path)) as part:
            part.write_text(self.to_html(), encoding="utf-8")

    def to_html(self) -> str:
        """Return the text of the file that ``save_html`` writes."""
        script = f"{self._esm}\nfillPage({json.dumps(self.scene)});\n"
        return Template((_WEB / "play.html").read_text(encoding="utf-8")).substitute(
            style=self._css,
            style_hash=hashed(self._css),
            script=script,
            script_hash=hashed(script),
            still=b64encode(self.still()).decode(),
        )

    def still(self) -> bytes:
        """Return a WebP image of the playground at the end of the scene, for pages without a kernel or JavaScript."""
        return (_WEB / f"play-{self.scene}.webp").read_bytes()

    def _ipython_display_(self) -> None:
        """Display the playground and the still image as two outputs, since an exporter chooses one format of each."""
        data, metadata = self._repr_mimebundle_() or ({}, {})
        display(data | {"text/plain": "Play"}, metadata=metadata, raw=True)
        buffer = io.BytesIO()
        Image.open(io.BytesIO(self.still())).convert("RGB").save(buffer, "jpeg", quality=80)
        display({"image/jpeg": b64encode(buffer.getvalue()).decode(), "text/plain": "the scene's end"}, raw=True)
