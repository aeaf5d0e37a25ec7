"""Find images on a page that are distorted, too wide or not loaded."""

WIDTHS = (390, 1300, 1920)
#: Return each image that is not loaded, that is distorted, or that is wider than the page.
FAULTS = """async () => {
  const faults = [];
  for (const image of document.images) {
    image.loading = 'eager';
    await image.decode().catch(() => {});
    const [width, height] = [image.clientWidth, image.clientHeight];
    if (!width && !height) continue;  // hidden
    const natural = image.naturalWidth / image.naturalHeight, box = image.getBoundingClientRect();
    const kept = ['contain', 'cover', 'scale-down'].includes(getComputedStyle(image).objectFit);
    const far = Math.abs(width / natural - height);  // in pixels; both are rounded
    const name = `${image.alt.slice(0, 40)} (${width} x ${height})`;
    if (!image.naturalWidth) faults.push(`not loaded: ${name}`);
    else if (!kept && far > 1 + 1 / natural) faults.push(`out of proportion: ${name}`);
    if (box.left < -1 || box.right > document.documentElement.clientWidth + 1) faults.push(`too wide: ${name}`);
  }
  return faults;
}"""
#: A page may still be replacing images by widgets: only faults that persist count.
LASTING_FAULTS = f"""async () => {{
  let faults;
  for (let attempt = 0; attempt < 300 && (faults = await ({FAULTS})()).length; attempt++)
    await new Promise(resolve => setTimeout(resolve, 200));
  return faults;
}}"""
VISIBLE = "[...document.images].filter(image => image.clientWidth > 100 && image.naturalWidth > 100).length"


def faults(page):
    """Return the persistent faults of the images on a page by its width, for widths with faults."""
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("width => innerWidth === width && !document.getAnimations().length", arg=width)
        if wrong := page.evaluate(LASTING_FAULTS):
            found[width] = wrong
    return found
