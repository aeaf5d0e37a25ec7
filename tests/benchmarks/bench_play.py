"""Frames and images a second while the playground trains in a page of 1280 × 720, and the size of its file."""

import tempfile
from pathlib import Path

import rows
from bench_course import row
from playwright.sync_api import sync_playwright

from vaehelpers.play import Play

SECONDS = 1 if rows.QUICK else 10
COUNT = "parseInt(document.querySelector('.count').textContent.replaceAll(',', ''))"
#: The times of the frames of some seconds, and how many images were seen meanwhile.
FRAMES = f"""(seconds) => new Promise((resolve) => {{
  const times = [], before = {COUNT};
  const note = () => {{
    times.push(performance.now());
    if (times.at(-1) < times[0] + 1000 * seconds) requestAnimationFrame(note);
    else resolve([times, {COUNT} - before]);
  }};
  note();
}})"""


def measure(playwright, path):
    """Return the times between frames in milliseconds, in order of size, and the images seen in a second."""
    page = rows.chromium(playwright).new_page(viewport={"width": 1280, "height": 720})
    page.goto(path.as_uri())
    page.wait_for_function(f"() => {COUNT} === 0")
    page.get_by_role("button", name="play", exact=True).click()
    page.wait_for_function(f"() => {COUNT} > 1000")
    times, images = page.evaluate(FRAMES, SECONDS)
    return sorted(b - a for a, b in zip(times, times[1:], strict=False)), images / SECONDS


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "play.html"
        Play().save_html(path)
        between, images = measure(playwright, path)
        percentile = between[int(0.95 * len(between))]
        beside = f" (95th percentile {percentile:.0f} ms; {images:,.0f} images/s)"
        frame = row(
            "mean time from frame to frame while the playground trains", sum(between) / len(between), 20, "ms", beside
        )
        rows.store("play", [frame, row("the playground as one file", path.stat().st_size / 1e3, 400, "kB")])
