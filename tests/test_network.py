"""network.js against torch in the real browser: the same pictures, the same codes, and no damaged file gets through."""

import base64
import json
import re
import string
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
window.network = { unpack, parse, decode, encode };
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


def pictures(model, card, n):
    """Pictures in bytes, as the package stores them."""
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
    x, z = pictures(model, card, n), np.random.default_rng(2).standard_normal((n, model.latent_dim), np.float32)
    answer = page.evaluate(
        """async ([packed, n, z, x]) => {
          const model = network.parse(await network.unpack(packed)), { card, size, latentDim, channels } = model;
          const drawn = new Float32Array(n * channels * size ** 2);
          const [mu, logvar] = [0, 0].map(() => new Float32Array(n * latentDim));
          [z, x] = [floats(z), Float32Array.from(bytes(x), (byte) => byte / 255)];
          for (let i = 0; i < n; i++) {
            network.decode(model, row(z, n, i), row(drawn, n, i));
            network.encode(model, row(x, n, i), { mu: row(mu, n, i), logvar: row(logvar, n, i) });
          }
          return { drawn: text(drawn), mu: text(mu), logvar: text(logvar), card, shape: [size, latentDim, channels] };
        }""",
        [weights.pack(weights.to_bytes(model, card)), n, as_text(z), as_text(x)],
    )
    assert answer["shape"] == [model.size, model.latent_dim, model.channels]
    assert answer["card"] == json.loads(json.dumps({**card, "model": answer["card"]["model"]}))
    drawn = from_text(answer["drawn"], *x.shape)
    np.testing.assert_allclose(drawn, latents.decode(model, z), rtol=0, atol=1e-5)
    assert drawn.std(axis=0).max() > 0.01  # the codes are seen, and all values are no constant
    for ours, theirs in zip((answer["mu"], answer["logvar"]), latents.encode(model, np.float32(x) / 255), strict=True):
        np.testing.assert_allclose(from_text(ours, *theirs.shape), theirs, rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_lose_nothing_and_leave_room_for_the_interface(name):
    data = (weights.PRETRAINED / f"{name}.safetensors").read_bytes()
    assert weights.to_bytes(*weights.load_pretrained(name)) == data
    assert len(weights.pack(data)) <= 1_200_000


def test_a_picture_depends_on_its_code_alone(page, small):
    """A thousand changes of one latent, in the same arrays, end where a model that saw nothing else ends."""
    differing = page.evaluate(
        """() => {
          const dragged = network.parse(small), z = new Float32Array(2), out = new Float32Array(1024);
          const pixels = new Float32Array(1024).fill(0.3);
          const code = { mu: new Float32Array(2), logvar: new Float32Array(2) };
          let differing = 0;
          for (let i = 0; i < 1000; i++) {
            z[i % 2] = Math.sin(i * i) * 3;
            if (network.decode(dragged, z, out) !== out) return "a new array";
            if (i % 50 && i < 990) continue;
            if (network.encode(dragged, pixels, code).mu !== code.mu) return "a new array";
            const fresh = network.parse(small), other = network.encode(fresh, pixels);
            differing += text(out) !== text(network.decode(fresh, [...z]));
            differing += text(code.mu) + text(code.logvar) !== text(other.mu) + text(other.logvar);
            pixels.set(out);
          }
          return differing;
        }"""
    )
    assert differing == 0


def test_bytes_come_in_any_wrapping(page, small):
    answers = page.evaluate(
        """() => {
          const plain = small, shifted = new Uint8Array(plain.length + 11);
          shifted.set(plain, 3);
          const forms = [plain, plain.buffer, new DataView(plain.buffer), shifted.subarray(3, 3 + plain.length),
            new DataView(shifted.buffer, 3, plain.length)];
          return forms.map((form) => text(network.decode(network.parse(form), [1, -1])));
        }"""
    )
    assert len(set(answers)) == 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("network.decode(m, [0])", "z: need 2 numbers, got 1"),
        ("network.decode(m, new Float32Array(25))", "z: need 2 numbers, got 25"),
        ("network.decode(m)", "z: need 2 numbers, got undefined"),
        ("network.decode(m, [0, NaN])", "z: latent 1 should be a finite number, got NaN"),
        ("network.decode(m, ['1', 0])", "z: latent 0 should be a finite number, got 1"),
        ("network.decode(m, [0, 0], new Float32Array(4))", "out: need 1024 numbers, got 4"),
        ("network.encode(m, new Float32Array(1024), { mu: [0] })", "out.mu: need 2 numbers, got 1"),
        ("network.encode(m, new Float32Array(4096))", "pixels: need 1024 numbers, got 4096"),
        ("network.encode(m, new Uint8Array(1024).fill(255))", "pixels: need numbers from 0 to 1, got 255"),
        ("network.encode(m, new Float32Array(1024).fill(NaN))", "pixels: need numbers from 0 to 1, got NaN"),
    ],
)
def test_bad_arguments_are_named(page, small, call, says):
    assert page.evaluate(f"() => {{ const m = network.parse(small); return message(() => {call}); }}") == says


def take_apart(data):
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def assemble(header, body, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def with_card(header, **model):
    header["__metadata__"]["card"] = json.dumps({"model": {"size": 32, "latent_dim": 2, "channels": 1, **model}})


def with_tensor(header, **changes):
    header["decoder.dense.2.bias"].update(changes)


def move_border(header, by):
    """Let one tensor take bytes from the next."""
    end = header["decoder.dense.2.bias"]["data_offsets"][1]
    for entry in header.values():
        if "data_offsets" in entry:
            entry["data_offsets"] = [at + by * (at == end) for at in entry["data_offsets"]]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda h: with_card(h, size=48), "size: need 32 or 64 pixels, got 48"),
        (lambda h: with_card(h, size=64), "no tensor encoder.convolutions.6.weight"),
        (lambda h: with_card(h, latent_dim=0), "latent_dim: need at least 1, got 0"),
        (lambda h: with_card(h, latent_dim=2.5), "latent_dim: need at least 1, got 2.5"),
        (lambda h: with_card(h, latent_dim="2"), 'latent_dim: need at least 1, got "2"'),
        (lambda h: with_card(h, latent_dim=10**9), r"posterior.weight: need the shape \[2000000000,256\]"),
        (lambda h: with_card(h, channels=2), r"channels: need 1 \(grey\) or 3 \(colour\), got 2"),
        (lambda h: with_card(h, channels=3), r"convolutions.0.weight: need the shape \[32,3,4,4], got \[32,1,4,4]"),
        (lambda h: h.pop("__metadata__"), "its header cannot be read"),
        (lambda h: h["__metadata__"].update(card="{"), "its header cannot be read"),
        (lambda h: h["__metadata__"].update(card="null"), "its header cannot be read"),
        (lambda h: h["__metadata__"].update(card="{}"), "does not say the size"),
        (lambda h: h.pop("encoder.dense.0.bias"), r"need bytes from \d+ on, got \["),
        (lambda h: h.update(extra={"dtype": "F16", "shape": [0], "data_offsets": [0, 0]}), "of no use here: extra"),
        (lambda h: h.update(extra=None), "extra: need bytes from"),
        (lambda h: h.update({"decoder.dense.0.x": h.pop("decoder.dense.0.bias")}), "no tensor decoder.dense.0.bias"),
        (lambda h: with_tensor(h, dtype="F32"), r"decoder.dense.2.bias: need half precision \(F16\), got .F32"),
        (lambda h: with_tensor(h, shape=[2, 128]), r"decoder.dense.2.bias: need the shape \[256], got \[2,128]"),
        (lambda h: with_tensor(h, shape=None), r"decoder.dense.2.bias: need the shape \[256], got null"),
        (lambda h: move_border(h, 2), "decoder.dense.2.weight: need 131072 bytes, got 131070"),
        (lambda h: move_border(h, -2), "decoder.dense.2.weight: need 131072 bytes, got 131074"),
        (lambda h: with_tensor(h, data_offsets=None), r"need bytes from \d+ on, got \["),
        (lambda h: with_tensor(h, data_offsets=["0", "512"]), r"need bytes from \d+ on, got \["),
        (lambda h: with_tensor(h, data_offsets=[-512, 0]), r"need bytes from \d+ on, got \["),
        (lambda h: with_tensor(h, data_offsets=[0, 512]), r"need bytes from \d+ on, got \["),
        (lambda h: with_tensor(h, data_offsets=[1e300, 1e301]), r"need bytes from \d+ on, got \["),
    ],
)  # fmt: skip
def test_absurd_headers_are_refused_with_a_reason(page, small, change, says):
    header, body = take_apart(small)
    change(header)
    assert_refused(page, assemble(header, b""), says, rest=len(body))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda h, b: assemble(h, b + b"\0\0"), r"its tensors should have \d+ bytes, \d+ are there"),
        (lambda h, b: assemble(h, b, length=2**63), "its header should have 9223372036854775808 bytes"),
        (lambda h, b: assemble(h, b, length=0), "its header cannot be read"),
        (lambda h, b: assemble(b"[]", b""), "its header cannot be read"),
        (lambda h, b: assemble(b"null", b""), "its header cannot be read"),
        (lambda h, b: assemble(b"[" * 100_000, b""), "its header cannot be read"),
        (
            lambda h, b: assemble(json.dumps(h).encode().replace(b"note", b"\xff\xfe"), b),
            "its header cannot be read",
        ),
        (lambda h, b: assemble(h, b[:-2] + struct.pack("<e", np.nan)), r"its number \d+ is not finite"),
        (lambda h, b: assemble(h, b[:-2] + struct.pack("<e", -np.inf)), r"its number \d+ is not finite"),
        (lambda h, b: b"PK\x03\x04 a zip file, or a pickle", "its header should have"),
    ],
)
def test_absurd_files_are_refused_with_a_reason(page, small, spoil, says):
    assert_refused(page, spoil(*take_apart(small)), says)


def assert_refused(page, data, says, *, rest=0):
    """Parse bytes in the page, followed by the last ``rest`` bytes of the small model, which it has already."""
    said = page.evaluate(
        """([file, rest]) => {
          const data = bytes(file), whole = new Uint8Array(data.length + rest);
          whole.set(data);
          whole.set(small.subarray(small.length - rest), data.length);
          return message(() => network.parse(whole));
        }""",
        [base64.b64encode(data).decode(), rest],
    )
    assert re.search(f"^model: .*{says}", said or "a broken file was taken for a model")


def outcomes(page, damages):
    """What damages ``(length, [(place, byte)])`` of the small model lead to: a message, or a picture and its code."""
    return page.evaluate(
        """(damages) => damages.map(([length, changes]) => {
          const broken = small.slice(0, length);
          for (const [place, byte] of changes) broken[place] = byte;
          let model = null;
          const error = message(() => { model = network.parse(broken); });
          if (error !== null) return error;
          const { mu, logvar } = network.encode(model, network.decode(model, [1, -1]));
          return [text(network.decode(model, [1, -1])), text(mu), text(logvar)];
        })""",
        damages,
    )


def test_a_file_that_ends_anywhere_is_refused(page, small):
    header, body = take_apart(small)
    start, rng = len(small) - len(body), np.random.default_rng(3)
    ends = {start + end for name, entry in header.items() if name != "__metadata__" for end in entry["data_offsets"]}
    lengths = {*range(20), start - 1, start, start + 1, *ends, *(end - 1 for end in ends)}
    lengths |= set(rng.integers(len(small), size=90))
    said = outcomes(page, [(int(n), []) for n in sorted(lengths - {len(small)})])
    assert len(said) > 150
    assert all(isinstance(message, str) and message.startswith("model: ") for message in said), said


def test_a_changed_byte_is_refused_or_does_no_harm(page, small):
    """In the header it must be noticed, unless it stands in the free text of the card; a weight is then another."""
    start, rng = len(small) - len(take_apart(small)[1]), np.random.default_rng(4)
    places = [*range(8), *rng.integers(8, start, 250), *rng.integers(start, len(small), 50)]
    damages = [(len(small), [(int(at), int(small[at] ^ rng.integers(1, 256)))]) for at in places]
    intact, *found = outcomes(page, [(len(small), []), *damages])
    refused = 0
    for (_, [(at, _)]), outcome in zip(damages, found, strict=True):
        if isinstance(outcome, str):
            assert outcome.startswith("model: ")
            refused += 1
        elif at < start:
            assert outcome == intact, f"byte {at} of the header changed the picture"
        else:
            assert all(np.isfinite(from_text(text, -1)).all() for text in outcome)
    assert refused > 200


UNPACK = """(texts) => Promise.all(texts.map((packed) => network.unpack(packed).then(
  (all) => ({ bytes: Array.from(all) }), (error) => ({ error: error.message }))))"""


def test_unpack_undoes_pack(page):
    rng = np.random.default_rng(5)
    contents = [rng.bytes(n) for n in (0, 1, 2, 3, 1000, 1001)]
    found = page.evaluate(UNPACK, [weights.pack(data) for data in contents])
    assert [bytes(each["bytes"]) for each in found] == contents


def test_damaged_text_is_refused(page):
    rng = np.random.default_rng(6)
    data = rng.normal(size=1500).astype(np.float16).tobytes()
    packed = weights.pack(data)
    letters = string.ascii_letters + string.digits + "+/=é<\0"
    texts = [packed[: rng.integers(len(packed))] for _ in range(100)]
    for at in rng.integers(len(packed), size=200):
        others = letters.replace(packed[at], "")
        texts.append(packed[:at] + others[rng.integers(len(others))] + packed[at + 1 :])
    texts += [packed + "AAAA", "", "<script>"]
    for text, found in zip(texts, page.evaluate(UNPACK, texts), strict=True):
        assert found.get("error", "").startswith("model: its text is damaged (") or bytes(found["bytes"]) == data, text
