"""Draw the playground at the end of each scene, for where there is no kernel and no JavaScript.

    python -m recipes.stills

trains each scene in Chromium, some minutes in all, and writes ``vaehelpers/web/play-<scene>.webp``. Further arguments
(holes collapse) select the scenes.
"""

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from vaehelpers.play import Play

WEB = Path(__file__).parents[1] / "vaehelpers" / "web"
IMAGES = {"vae": 16_000, "holes": 16_000, "noise": 8_000, "beta": 10_000, "collapse": 24_000, "warmup": 30_000}
IMAGES |= {"seed": 15_500, "few": 30_000}  # images seen at the end of a scene
SEEN = "(n) => parseInt(document.querySelector('.count').textContent.replaceAll(',', '')) >= n"


def train(page: Page, images: int) -> None:
    """Train until ``images`` images have been seen."""
    page.get_by_role("button", name="play", exact=True).click()
    page.wait_for_function(SEEN, arg=images, timeout=600_000)
    page.get_by_role("button", name="pause", exact=True).click()


def draw(page: Page, scene: str) -> bytes:
    """Return the views at the end of a scene, as WebP."""
    train(page, IMAGES[scene])
    if scene == "noise":
        page.get_by_label("KL term").check()
        train(page, 16_000)
    if scene == "beta":
        page.get_by_role("slider").fill("32")  # β = 8
        train(page, 18_000)
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)  # until the ellipses have arrived
    buffer = io.BytesIO()
    Image.open(io.BytesIO(page.locator(".play .views").screenshot())).save(buffer, "webp", quality=60, method=6)
    return buffer.getvalue()


def main(scenes: list[str]) -> None:
    """Write the images of scenes."""
    path = Path(tempfile.mkdtemp()) / "play.html"
    Play().save_html(path)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scene in scenes:
            page = browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme="light")
            page.goto(f"{path.as_uri()}#scene={scene}")
            (WEB / f"play-{scene}.webp").write_bytes(draw(page, scene))
            page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:] or list(IMAGES))
