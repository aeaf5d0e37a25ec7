"""hands.js against hands.py in the real browser: the same constants, and the same images."""

import base64
import re

import numpy as np
import pytest
from conftest import ROOT

from vaehelpers import hands

SOURCE = (ROOT / "vaehelpers" / "web" / "hands.js").read_text()
EXPORTS = re.findall(r"^export \w+ (\w+)", SOURCE, re.MULTILINE)
# As in one HTML file: the source inline, under a policy that lets nothing be loaded.
PAGE = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'">
<script type="module">
%s
window.hands = { %s };
window.text = (floats) => {
  const all = new Uint8Array(floats.buffer);
  let binary = "";
  for (let i = 0; i < all.length; i += 4096) binary += String.fromCharCode(...all.subarray(i, i + 4096));
  return btoa(binary);
};
</script>"""
NEUTRAL = hands.neutral()


@pytest.fixture(scope="module")
def page(browser):
    page, errors = browser.new_page(), []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content(PAGE % (SOURCE, ", ".join(EXPORTS)))
    page.wait_for_function("() => window.text")
    yield page
    page.close()
    assert errors == []


def row(**factors):
    return [factors.get(name, value) for name, value in zip(hands.FACTORS, NEUTRAL.tolist(), strict=True)]


def rows():
    """Anywhere in all ten ranges, at their ends, and where a rule of the drawing is easily missed."""
    drawn = hands.sample_factors(300, rng=np.random.default_rng(8))
    ends = [row(**{name: end}) for name, f in hands.FACTORS.items() for end in (f.low, f.high)]
    corners = [[f.low for f in hands.FACTORS.values()], [f.high for f in hands.FACTORS.values()]]
    curls = list(hands.FACTORS)[5:]
    upright = 0.5 * np.pi / np.cumsum(hands._BEND)  # curls with a bone seen from its end
    fists = [row(**dict.fromkeys(curls, curl)) for curl in (1, *upright)]
    beyond = [row(spread=2.5), row(spread=-3), row(thumb=-1), row(x=-0.9, y=0.9, size=0.2), row(size=3, rotation=2)]
    beyond += [row(**{curl: value}) for curl in curls for value in (-0.7, 1.6)]
    return np.array([NEUTRAL, *fists, *ends, *corners, *beyond, *drawn], np.float32)


@pytest.mark.parametrize("size", [64, 32, 8])
def test_the_browser_draws_what_numpy_draws(page, size):
    factors = rows()
    drawn = page.evaluate(
        """([rows, size]) => {
          const all = new Float32Array(rows.length * size ** 2);
          rows.forEach((factors, i) => all.set(hands.render(factors, size), i * size ** 2));
          return text(all);
        }""",
        [factors.tolist(), size],
    )
    drawn = np.frombuffer(base64.b64decode(drawn), np.float32).reshape(-1, 1, size, size)
    expected = np.concatenate([hands.render(each[None], size) for each in factors])
    np.testing.assert_allclose(drawn, expected, rtol=0, atol=1e-3)  # single precision, where an edge is steep
    assert np.quantile(np.abs(drawn - expected), 0.9999) < 1e-5
    assert drawn.min() == 0 and 0.8 < drawn.max() <= 1


def test_no_constant_differs(page):
    ours = {name.strip("_"): value for name, value in vars(hands).items() if re.fullmatch("[A-Z_]{2,}", name)}
    theirs = page.evaluate("() => { const { render, ...constants } = hands; return constants; }")
    factors = theirs.pop("FACTORS")
    assert list(factors.items()) == [(name, factor._asdict()) for name, factor in ours.pop("FACTORS").items()]
    assert single(theirs) == single(ours)
    assert len(ours) == 15  # they were found


def single(constants):
    return {name: np.asarray(value, np.float32).tolist() for name, value in constants.items()}


def test_an_image_depends_on_its_factors_alone(page):
    first, *others = rows()[[0, 1, -1]].tolist()
    same = page.evaluate(
        """([first, others]) => {
          const plain = hands.render(first), before = text(plain);
          for (const other of others) for (const size of [80, 64, 32]) hands.render(other, size);
          return [text(plain) === before, text(hands.render(first, 64)) === before];
        }""",
        [first, others],
    )
    assert same == [True] * 2
