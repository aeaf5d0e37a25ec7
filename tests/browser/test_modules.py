"""The modules network and hands in a real browser give the same images and codes as torch and NumPy."""

import json
import re
import struct
from functools import partial

import numpy as np
import pytest
from explorers import EXCHANGE, SHIPPED, as_text, from_text, held_out, untrained
from test_browser import watched
from test_weights import forged

from vaehelpers import hands, latents, weights
from vaehelpers.explorer import bundle

UNTRAINED = {"32 colour": (32, 7, 3), "64 colour": (64, 26, 3), "64 grey, one latent": (64, 1, 1)}
# The content security policy blocks all loading, as in an HTML file by `save_html`.
PAGE = """<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'">
<script type="module">
%s
window.network = network;
window.hands = hands;
window.row = (floats, n, i) => floats.subarray(i * floats.length / n, (i + 1) * floats.length / n);
%s
</script>"""


@pytest.fixture(scope="module")
def page(browser):
    with watched(browser) as page:
        page.set_content(PAGE % (bundle(), EXCHANGE))
        page.wait_for_function("() => window.message")
        yield page


@pytest.fixture(scope="module")
def small(page):
    """The bytes of a small untrained model, also stored in the page."""
    data = weights.to_bytes(untrained(), {"note": "untrained β"})
    page.evaluate("(file) => { window.small = bytes(file); }", as_text(data))
    return data


def assert_computes_what_torch_computes(page, name):
    model, card = weights.load_pretrained(name) if name in SHIPPED else (untrained(*UNTRAINED[name]), {})
    n, factors = 50, {"data": "hands", "vary": card.get("vary", ["index"])}
    x = held_out(model, factors if model.size == 64 else {}, n).pixels
    z = np.random.default_rng(2).standard_normal((n, model.latent_dim), np.float32)
    answer = page.evaluate(
        """([file, n, z, x]) => {
          const model = network.parse(bytes(file)), { card, size, latentDim, channels } = model;
          const drawn = new Float32Array(n * channels * size ** 2);
          const [mu, logvar] = [0, 0].map(() => new Float32Array(n * latentDim));
          [z, x] = [floats(z), Float32Array.from(bytes(x), (byte) => byte / 255)];
          for (let i = 0; i < n; i++) {
            network.decode(model, row(z, n, i), row(drawn, n, i));
            const posterior = network.encode(model, row(x, n, i));
            row(mu, n, i).set(posterior.mu);
            row(logvar, n, i).set(posterior.logvar);
          }
          return { drawn: text(drawn), mu: text(mu), logvar: text(logvar), card, shape: [size, latentDim, channels] };
        }""",
        [as_text(weights.to_bytes(model, card)), n, as_text(z.tobytes()), as_text(x.tobytes())],
    )
    assert answer["shape"] == [model.size, model.latent_dim, model.channels]
    assert answer["card"] == json.loads(json.dumps({**card, "model": answer["card"]["model"]}))
    drawn = from_text(answer["drawn"], *x.shape)
    np.testing.assert_allclose(drawn, latents.decode(model, z), rtol=0, atol=1e-5)
    assert drawn.std(axis=0).max() > 0.01  # it depends on the code
    for ours, theirs in zip((answer["mu"], answer["logvar"]), latents.encode(model, np.float32(x) / 255), strict=True):
        np.testing.assert_allclose(from_text(ours, *theirs.shape), theirs, rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", [*SHIPPED, *UNTRAINED])
def test_the_browser_computes_what_torch_computes(page, name):
    assert_computes_what_torch_computes(page, name)


WITHOUT = {
    "the browser lacks it": f"<script>delete globalThis.WebAssembly;</script>{PAGE}",
    "the policy forbids it": PAGE.replace(" 'wasm-unsafe-eval'", ""),
}


@pytest.mark.parametrize("how", WITHOUT)
def test_a_browser_without_webassembly_computes_the_same(browser, how):
    with browser.new_page() as page:
        page.set_content(WITHOUT[how] % (bundle(), EXCHANGE))
        page.wait_for_function("() => window.message")
        assert page.evaluate("() => message(() => new WebAssembly.Module(bytes('AGFzbQEAAAA=')))"), "it is to be had"
        assert_computes_what_torch_computes(page, "64 colour")


@pytest.mark.parametrize("z", ["[0]", "new Float32Array(25)", "[0, NaN]", "['1', 0]"])
def test_a_bad_code_is_an_error(page, small, z):
    error = page.evaluate(f"() => message(() => network.decode(network.parse(small), {z}))")
    assert error.startswith("z: need 2 finite numbers, got ")


LAYER = "decoder.dense.2.bias"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: b"", ""),
        (lambda data: data[:-1], ""),
        (lambda data: struct.pack("<Q", 2**63) + data[8:], ""),
        (lambda data: data.replace(b"{", b"[", 1), ""),
        (partial(forged, change=lambda h: h.pop("__metadata__")), ""),
        (partial(forged, change=lambda h: h.pop("encoder.dense.0.bias")), "need encoder.dense.0.bias of shape .256."),
        (partial(forged, change=lambda h: h[LAYER].update(dtype="F32")), rf"need {LAYER} .* F16, got \(256\) in F32"),
        (partial(forged, change=lambda h: h[LAYER].update(shape=[2, 128])), rf"need {LAYER} .*, got \(2,128\)"),
        (partial(forged, change=lambda h: h[LAYER].update(data_offsets=[2**40, 2**40 + 512])), ""),
    ],
)
def test_bytes_of_no_model_are_refused(page, small, spoil, message):
    error = page.evaluate("(file) => message(() => network.parse(bytes(file)))", as_text(spoil(small)))
    assert re.match(rf"model: its weights cannot be read \(.*{message}", error or "read without an error")


def rows():
    """Return factors of hands: random, at the ends of the ranges, and curls with a bone seen end-on."""
    names, neutral = list(hands.FACTORS), hands.neutral()
    upright = 0.5 * np.pi / np.cumsum(hands._BEND)
    changes = [dict.fromkeys(names[5:], curl) for curl in (0, *upright, 1)]
    changes += [{name: end} for name, factor in hands.FACTORS.items() for end in (factor.low, factor.high)]
    special = [[change.get(name, value) for name, value in zip(names, neutral, strict=True)] for change in changes]
    return np.array([*special, *hands.sample_factors(300, rng=np.random.default_rng(8))], np.float32)


@pytest.mark.parametrize("size", [64, 32, 8])
def test_the_browser_draws_the_hands_that_numpy_draws(page, size):
    factors = rows()
    drawn = page.evaluate(
        """([rows, size]) => {
          const all = new Float32Array(rows.length * size ** 2);
          rows.forEach((factors, i) => all.set(hands.render(factors, size), i * size ** 2));
          return text(all);
        }""",
        [factors.tolist(), size],
    )
    drawn = from_text(drawn, len(factors), 1, size, size)
    expected = np.concatenate([hands.render(each[None], size) for each in factors])
    np.testing.assert_allclose(drawn, expected, rtol=0, atol=1e-3)  # single precision, where an edge is steep
    assert np.quantile(np.abs(drawn - expected), 0.9999) < 1e-5
    assert drawn.min() == 0 and 0.8 < drawn.max() <= 1
