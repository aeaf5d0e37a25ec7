"""network.js against torch in the real browser: the same images, and the same codes."""

import base64
import json
import re
import struct

import numpy as np
import pytest
import torch
from conftest import FULL, ROOT

from vaehelpers import datasets, hands, latents, weights
from vaehelpers.model import VAE

SHIPPED = sorted(path.stem for path in weights.PRETRAINED.glob("*.safetensors"))
UNTRAINED = {"32 colour": (32, 7, 3), "64 colour": (64, 26, 3), "64 grey, one latent": (64, 1, 1)}
# As in one HTML file: the source inline, under a policy that lets nothing be loaded.
PAGE = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'">
<script type="module">
%s
window.network = { parse, decode, encode };
window.bytes = (text) => {
  const binary = atob(text), all = new Uint8Array(binary.length);
  for (let i = 0; i < all.length; i++) all[i] = binary.charCodeAt(i);
  return all;
};
window.floats = (text) => new Float32Array(bytes(text).buffer);
window.text = (floats) => {
  const all = new Uint8Array(floats.buffer);
  let binary = "";
  for (let i = 0; i < all.length; i += 4096) binary += String.fromCharCode(...all.subarray(i, i + 4096));
  return btoa(binary);
};
window.row = (floats, n, i) => floats.subarray(i * floats.length / n, (i + 1) * floats.length / n);
window.message = (run) => { try { run(); return null; } catch (error) { return `${error.message}`; } };
</script>"""


@pytest.fixture(scope="module")
def page(browser):
    page, errors = browser.new_page(), []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content(PAGE % (ROOT / "vaehelpers" / "web" / "network.js").read_text())
    page.wait_for_function("() => window.message")
    yield page
    page.close()
    assert errors == []


@pytest.fixture(scope="module")
def small(page):
    """The bytes of a small untrained model; the page has them too."""
    data = weights.to_bytes(*untrained(32, 2, 1))
    page.evaluate("(file) => { window.small = bytes(file); }", base64.b64encode(data).decode())
    return data


def untrained(size, latent_dim, channels):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VAE(size, latent_dim, channels)
    return model.half().float().eval(), {"note": "untrained β"}


def open_model(name):
    return weights.load_pretrained(name) if name in SHIPPED else untrained(*UNTRAINED[name])


def images_for(model, card, n):
    """Pixels as bytes, as the package stores them."""
    if model.channels == 3:
        return np.random.default_rng(1).integers(256, size=(n, 3, model.size, model.size), dtype=np.uint8)
    if model.size == 32:
        return datasets.digits().pixels[:n]
    factors = hands.sample_factors(n, vary=card.get("vary", ["index"]), rng=np.random.default_rng(1))
    return np.round(255 * hands.render(factors)).astype(np.uint8)


def as_text(array):
    return base64.b64encode(array.tobytes()).decode()


def from_text(text, *shape):
    return np.frombuffer(base64.b64decode(text), np.float32).reshape(shape)


@pytest.mark.parametrize("name", [*SHIPPED, *UNTRAINED])
def test_the_browser_computes_what_torch_computes(page, name):
    model, card = open_model(name)
    n = 200 if FULL else 50
    x, z = images_for(model, card, n), np.random.default_rng(2).standard_normal((n, model.latent_dim), np.float32)
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
        [base64.b64encode(weights.to_bytes(model, card)).decode(), n, as_text(z), as_text(x)],
    )
    assert answer["shape"] == [model.size, model.latent_dim, model.channels]
    assert answer["card"] == json.loads(json.dumps({**card, "model": answer["card"]["model"]}))
    drawn = from_text(answer["drawn"], *x.shape)
    np.testing.assert_allclose(drawn, latents.decode(model, z), rtol=0, atol=1e-5)
    assert drawn.std(axis=0).max() > 0.01  # the codes are seen, and all values are no constant
    for ours, theirs in zip((answer["mu"], answer["logvar"]), latents.encode(model, np.float32(x) / 255), strict=True):
        np.testing.assert_allclose(from_text(ours, *theirs.shape), theirs, rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_bytes_of_a_shipped_model_are_those_of_its_file(name):
    data = (weights.PRETRAINED / f"{name}.safetensors").read_bytes()
    assert weights.to_bytes(*weights.load_pretrained(name)) == data


def test_an_image_depends_on_its_code_alone(page, small):
    """A thousand changes of one latent, in the same arrays, end where a newly parsed model ends."""
    differing = page.evaluate(
        """() => {
          const dragged = network.parse(small), z = new Float32Array(2), out = new Float32Array(1024);
          const pixels = new Float32Array(1024).fill(0.3), first = network.encode(dragged, pixels);
          const before = text(first.mu);
          let differing = 0;
          for (let i = 0; i < 1000; i++) {
            z[i % 2] = Math.sin(i * i) * 3;
            if (network.decode(dragged, z, out) !== out) return "a new array";
            if (i % 50 && i < 990) continue;
            const fresh = network.parse(small), code = network.encode(dragged, pixels);
            const other = network.encode(fresh, pixels);
            differing += text(out) !== text(network.decode(fresh, [...z]));
            differing += text(code.mu) + text(code.logvar) !== text(other.mu) + text(other.logvar);
            pixels.set(out);
          }
          return differing + (text(first.mu) !== before);
        }"""
    )
    assert differing == 0


def test_bytes_may_be_a_view_at_any_offset(page, small):
    answers = page.evaluate(
        """() => {
          const shifted = new Uint8Array(small.length + 11);
          shifted.set(small, 3);
          const forms = [small, shifted.subarray(3, 3 + small.length), new DataView(shifted.buffer, 3, small.length)];
          return forms.map((form) => text(network.decode(network.parse(form), [1, -1])));
        }"""
    )
    assert len(set(answers)) == 1


@pytest.mark.parametrize("z", ["[0]", "new Float32Array(25)", "[0, NaN]", "['1', 0]"])
def test_a_bad_code_is_named(page, small, z):
    said = page.evaluate(f"() => message(() => network.decode(network.parse(small), {z}))")
    assert said.startswith("z: need 2 finite numbers, got ")


def forged(data, change):
    """The bytes of a model with another header."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda data: b"", ""),
        (lambda data: data[: len(data) // 2], ""),
        (lambda data: data[:-1], ""),
        (lambda data: b"PK\x03\x04 a zip file, or a pickle", ""),
        (lambda data: struct.pack("<Q", 2**63) + data[8:], ""),
        (lambda data: data.replace(b"{", b"[", 1), ""),
        (lambda data: forged(data, lambda h: h.pop("__metadata__")), ""),
        (lambda data: forged(data, lambda h: h["__metadata__"].update(card="{}")), ""),
        (
            lambda data: forged(data, lambda h: h.pop("encoder.dense.0.bias")),
            "need encoder.dense.0.bias of shape .256.",
        ),
        (
            lambda data: forged(data, lambda h: h["decoder.dense.2.bias"].update(dtype="F32")),
            r"need decoder.dense.2.bias of shape \(256\) in F16, got \(256\) in F32",
        ),
        (
            lambda data: forged(data, lambda h: h["decoder.dense.2.bias"].update(shape=[2, 128])),
            r"need decoder.dense.2.bias of shape \(256\) in F16, got \(2,128\)",
        ),
        (lambda data: forged(data, lambda h: h["decoder.dense.2.bias"].update(data_offsets=[2**40, 2**40 + 512])), ""),
    ],
)
def test_bytes_of_no_model_are_refused(page, small, spoil, says):
    file = base64.b64encode(spoil(small)).decode()
    said = page.evaluate("(file) => message(() => network.parse(bytes(file)))", file)
    assert re.match(rf"model: its weights cannot be read \(.*{says}", said or "read without an error")
