"""Make ``vaehelpers/web/stix-math.woff2``, the part of STIX Two Math that formulas of lessons use.

    python -m recipes.font STIXTwoMath-Regular.ttf

needs the packages ``fonttools`` and ``brotli``. The fonts for text are files of npm's
``@fontsource-variable/stix-two-text`` 5.3.0 (Latin, upright and italic). All are under ``stix-license.txt``.
"""

import sys
from pathlib import Path

from fontTools import subset  # type: ignore[import-untyped]

FONT = Path(__file__).parent.parent / "vaehelpers" / "web" / "stix-math.woff2"
#: First and last characters of ranges: Latin, accents, Greek, arrows, operators, brackets, and the letters in bold,
#: italic, script and double-struck type.
RANGES = """\
20-7E A0-FF 131 237 2C6-2DC 302-30C 338 391-3A9 3B1-3C9 3D1 3D5-3D6 3F0-3F5 2010-2026 2032-2034 2057
2061-2064 20D7 210B-2113 2115-211D 2124 212C-2134 2190-2199 21A6 21D0-21D4 2200-2237 223C-223D
2243-224D 2254-2255 2260-2265 226A-226B 2282-228B 2295-2299 22A4-22A5 22C0-22C5 22EE-22F1 2308-230B
23B4-23B5 23DC-23DF 25A1 27E8-27E9 27F5-27FA 2A00-2A02 2A7D-2A7E FE00 1D400-1D4CF 1D538-1D56B
1D6A4-1D6DA 1D6DC-1D71B"""


def build(source: str, target: Path = FONT) -> None:
    """Write the part of a font as WOFF2, with its copyright, and without hints or typographic features."""
    options = subset.Options(flavor="woff2", hinting=False, layout_features=[], name_IDs=[0, 1, 2, 4, 5, 6, 13, 14])
    font = subset.load_font(source, options)
    part = subset.Subsetter(options)
    part.populate(unicodes=subset.parse_unicodes(RANGES))
    part.subset(font)
    subset.save_font(font, str(target), options)
    print(f"{target}: {target.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    build(sys.argv[1])
