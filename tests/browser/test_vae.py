"""The VAE that learns in the page: its gradients, steps, codes and posteriors against torch (test_play: its worker)."""

import itertools
import re
import subprocess

import numpy as np
import pytest
import torch
from conftest import ROOT
from explorers import EXCHANGE, from_text
from test_browser import watched
from torch.nn import functional as F

from vaehelpers.explorer import bundle

WEB, NPM = ROOT / "vaehelpers" / "web", ROOT / "build" / "npm"
MODULES = ("product", "vae", "posterior")
PAGE = """<script type="module">
%s
Object.assign(window, { product, vae, magnify });
window.allocate = (simd = true) => product.createProduct({ simd });
window.random = (n, seed = 5) => {
  const random = vae.createRandom(seed);
  return Float32Array.from({ length: n }, random.uniform);
};
%s
</script>"""


@pytest.fixture(scope="module")
def page(browser):
    with watched(browser) as page:
        page.set_content(PAGE % (bundle(MODULES), EXCHANGE))
        page.wait_for_function("() => window.message")
        yield page


@pytest.mark.slow
def test_the_binary_is_what_its_source_gives(tmp_path):
    translator = NPM / "node_modules" / ".bin" / "wat2wasm"
    if not translator.exists():
        pytest.fail(f"{translator} is missing: run `make test-all` or `make wasm`")
    subprocess.run([translator, WEB / "product.wat", "-o", tmp_path / "product.wasm"], check=True)
    assert (tmp_path / "product.wasm").read_bytes() == (WEB / "product.wasm").read_bytes()


class Reference:
    """The network of vae.js in torch, with all parameters in one vector, in vae.js's order."""

    def __init__(self, parameters, pixels, latents):
        self.vector = torch.tensor(parameters, dtype=torch.float64, requires_grad=True)
        self.latents, self.width = latents, -(-latents // 8) * 8
        sizes = [pixels, 256, 128, 2 * self.width], [self.width, 128, 256, pixels]
        self.parts, at = [], 0
        for chain in sizes:
            layers = []
            for ins, outs in itertools.pairwise(chain):
                layers.append((slice(at, at := at + ins * outs), slice(at, at := at + outs), (outs, ins)))
            self.parts.append(layers)
        assert at == len(parameters)

    def apply(self, part, signal):
        for i, (weight, bias, shape) in enumerate(self.parts[part]):
            signal = F.linear(F.relu(signal) if i else signal, self.vector[weight].view(shape), self.vector[bias])
        return signal

    def encode(self, x):
        posterior = self.apply(0, x).view(len(x), 2, self.width)[..., : self.latents]
        return posterior[:, 0], posterior[:, 1]

    def logits(self, z):
        return self.apply(1, F.pad(z, (0, self.width - self.latents)))

    def terms(self, x, eps):
        """Return the mean reconstruction term and the mean KL of each latent; z is mu where eps is 0."""
        mu, logvar = self.encode(x)
        logits = self.logits(mu + torch.exp(logvar / 2) * eps)
        recon = -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1).mean()
        return recon, (0.5 * (mu**2 + logvar.exp() - 1 - logvar)).mean(0)

    def groups(self):
        """Return the elements of each weight and of each bias."""
        return [group for part in self.parts for weight, bias, _ in part for group in (weight, bias)]


def uniforms(state):
    """Yield the numbers of the generator mulberry32."""
    multiply = lambda a, b: a * b & 0xFFFFFFFF  # noqa: E731
    while True:
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        mixed = multiply(state ^ state >> 15, 1 | state)
        mixed ^= mixed + multiply(mixed ^ mixed >> 7, 61 | mixed) & 0xFFFFFFFF
        yield (mixed ^ mixed >> 14) / 2**32


def normals(state, shape):
    """Return Box and Muller's normal numbers."""
    u = np.fromiter(uniforms(state), float, 2 * int(np.prod(shape))).reshape(*shape, 2)
    return np.sqrt(-2 * np.log(1 - u[..., 0])) * np.cos(2 * np.pi * u[..., 1])


# Take some steps, so that no parameter is at its initial value; then three with Adam's moments at 0 at first.
STEPS = """([simd, pixels, latents, options]) => {
  const images = random(4 * 64 * pixels).map((value) => value < 0.5 ? 0 : 2 * value - 1);
  const [early, ...batches] = [0, 1, 2, 3].map((i) => images.subarray(i * 64 * pixels, (i + 1) * 64 * pixels));
  const net = vae.createVae(allocate(simd), { pixels, latents, seed: 4, mean: new Float32Array(pixels).fill(0.25) });
  for (let i = 0; i < 4; i++) net.train(early, { rate: 0.01 });
  const clear = { ...net.save(), step: 0 }, saved = [clear];
  clear.first.fill(0);
  clear.second.fill(0);
  net.load(clear);
  const nats = batches.map((batch) => {
    const { reconstruction, kl } = net.train(batch, options);
    saved.push(net.save());
    return [reconstruction, ...kl];
  });
  const vectors = ["parameters", "first", "second"].map((name) => saved.map((at) => text(at[name])));
  return { images: batches.map(text), vectors, state: clear.random, nats };
}"""


@pytest.mark.parametrize(
    ("pixels", "latents", "options", "simd"),
    [
        (1024, 2, {"beta": 1}, True),
        (64, 1, {"beta": 4, "rate": 0.01}, True),
        (64, 9, {"beta": 0.3}, False),
        (64, 8, {"noise": False, "beta": 2}, True),
        (64, 2, {"kl": False, "beta": 2}, True),
        (64, 2, {"kl": False, "noise": False}, False),
    ],
)
def test_gradients_and_steps_are_those_of_torch(page, pixels, latents, options, simd):
    answer = page.evaluate(STEPS, [simd, pixels, latents, options])
    parameters, first, second = ([from_text(text).astype(float) for text in texts] for texts in answer["vectors"])
    eps = normals(answer["state"] % 2**32, (3, latents, 64)).swapaxes(1, 2) * options.get("noise", True)
    vector = torch.tensor(parameters[0], requires_grad=True)
    adam = torch.optim.Adam([vector], lr=options.get("rate", 2e-3))
    for step in range(3):
        reference = Reference(parameters[step], pixels, latents)
        x = torch.tensor(from_text(answer["images"][step], 64, pixels), dtype=torch.float64)
        recon, kl = reference.terms(x, torch.from_numpy(eps[step]))
        np.testing.assert_allclose(answer["nats"][step], [recon.item(), *kl.tolist()], rtol=1e-5, atol=1e-6)
        (options.get("kl", True) * options.get("beta", 1) * kl.sum() - recon).backward()
        gradient = (first[step + 1] - 0.9 * first[step]) / 0.1  # from Adam's first moment
        for group in reference.groups():
            ours, theirs = gradient[group], reference.vector.grad[group].numpy()
            assert np.linalg.norm(ours - theirs) <= 1e-5 * np.linalg.norm(theirs)
        vector.grad = torch.from_numpy(gradient)
        adam.step()
        moved = (vector.detach().numpy() - parameters[0], parameters[step + 1] - parameters[0])
        assert np.linalg.norm(moved[0] - moved[1]) <= 1e-3 * np.linalg.norm(moved[0])
        squares = adam.state[vector]["exp_avg_sq"].numpy()
        assert np.linalg.norm(second[step + 1] - squares) <= 1e-5 * np.linalg.norm(squares)


def test_codes_and_images_are_those_of_torch(page):
    pixels, latents, n = 64, 3, 65  # one more than a batch
    parameters, images, codes, *ours = page.evaluate(
        """([pixels, latents, n]) => {
          const net = vae.createVae(allocate(), { pixels, latents, seed: 1 }), images = random(n * pixels);
          for (let i = 0; i < 3; i++) net.train(random(64 * pixels, i));
          const codes = random(n * latents).map((value) => 4 * value - 2), { mu, logvar } = net.encode(images);
          return [net.save().parameters, images, codes, mu, logvar, net.decode(codes)].map(text);
        }""",
        [pixels, latents, n],
    )
    reference = Reference(from_text(parameters), pixels, latents)
    x, z = (torch.tensor(from_text(t), dtype=torch.float64).view(n, -1) for t in (images, codes))
    theirs = (*reference.encode(x), torch.sigmoid(reference.logits(z)))
    for got, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(from_text(got).reshape(n, -1), expected.detach(), rtol=1e-4, atol=1e-5)


def test_weights_start_as_he_et_al_say_and_the_last_bias_at_the_logits_of_the_mean_image(page):
    mean = np.array([0, 0.5, 0.9, 1, *[0.2] * 60])
    parameters = page.evaluate(
        "(mean) => text(vae.createVae(allocate(), { pixels: 64, latents: 64, seed: 1, mean }).save().parameters)",
        mean.tolist(),
    )
    *groups, last = Reference(from_text(parameters), 64, 64).groups()
    values = from_text(parameters)
    inputs = np.array([64, 256, 128, 64, 128, 256])
    spreads = np.array([values[group].std() for group in groups[::2]])
    np.testing.assert_allclose(spreads * np.sqrt(inputs / 2), [1, 1, 0.3, 1, 1, 1], rtol=0.05)
    assert not any(values[group].any() for group in groups[1::2])
    clipped = mean.clip(0.001, 0.999)
    np.testing.assert_allclose(values[last], np.log(clipped / (1 - clipped)), rtol=1e-5, atol=1e-6)


#: Errors, and the calls that cause them.
WRONG = {
    "pixels: need a multiple of 8, got 20": "vae.createVae(allocate(), { pixels: 20, latents: 2 })",
    "latents: need a whole number from 1 to 64, got 0": "vae.createVae(allocate(), { pixels: 64, latents: 0 })",
    "mean: need 8 numbers, got 1": "vae.createVae(allocate(), { pixels: 8, latents: 1, mean: [1] })",
    "images: need 64 × 64 numbers, got 64": "net.train(random(64))",
    "images: need pixels from 0 to 1, got NaN": "net.train(random(64 * 64).fill(NaN, 70, 71))",
    "beta: need a number of at least 0, got -1": "net.train(random(64 * 64), { beta: -1 })",
    "images: need a multiple of 64 numbers, got 65": "net.encode(random(65))",
    "z: need a multiple of 2 finite numbers, got 0,Infinity": "net.decode([0, Infinity])",
    r"snapshot: need \d+ parameters, got 3": "net.load({ parameters: random(3) })",
    "magnify: need one or two latents, got 3": "magnify({ latents: 3 }, random(8))",
    "training has diverged": "{ for (let i = 0; i < 9; i++) net.train(random(64 * 64), { rate: 1e30 }); }",
}


@pytest.mark.parametrize("message", WRONG)
def test_bad_input_is_named(page, message):
    error = page.evaluate(
        f"""() => {{
          const net = vae.createVae(allocate(), {{ pixels: 64, latents: 2, seed: 0 }});
          return message(() => {WRONG[message]});
        }}"""
    )
    assert re.match(message, error or "no error")


@pytest.mark.parametrize("latents", [1, 2])
def test_the_true_posterior_gives_log_p_of_an_image(page, latents):
    """Against torch on a grid that is twice as wide."""
    parameters, image, found = page.evaluate(
        """(latents) => {
          const net = vae.createVae(allocate(), { pixels: 64, latents, seed: 2 }), images = random(64 * 64);
          for (let i = 0; i < 64 * 64; i++) images[i] *= (i >> 6) * (latents > 1 ? i : 9) % 64 > 31;
          for (let i = 0; i < 200; i++) net.train(images, { rate: 0.005 });
          const image = images.subarray(64 * 20, 64 * 21), sum = (list) => list.reduce((a, b) => a + b);
          const { q, truth, kl, low, high, pixels, ...found } = magnify(net, image);
          Object.assign(found, { kl: [...kl], low, high, pixels: sum(pixels), sums: [q, truth].map(sum) });
          return [text(net.save().parameters), text(image), found];
        }""",
        latents,
    )
    reference, x = Reference(from_text(parameters), 64, latents), torch.tensor(from_text(image), dtype=torch.float64)
    low, high = (torch.tensor(found[end], dtype=torch.float64) for end in ("low", "high"))
    steps = (high - low) / 80
    sides = [torch.arange(-40, 121) * step + start for step, start in zip(steps, low, strict=True)]
    z = torch.cartesian_prod(*sides).view(-1, latents)
    with torch.no_grad():
        mu, logvar = reference.encode(x[None])
        prior, posterior = torch.distributions.Normal(0, 1), torch.distributions.Normal(mu, torch.exp(logvar / 2))
        log_p = -F.binary_cross_entropy_with_logits(reference.logits(z), x.expand(len(z), -1), reduction="none").sum(1)
        joint, q = log_p + prior.log_prob(z).sum(1), posterior.log_prob(z).sum(1).exp()
        evidence = joint.logsumexp(0) + steps.log().sum()
        kl = torch.distributions.kl_divergence(posterior, prior)[0]
    assert found["evidence"] == pytest.approx(evidence.item(), abs=0.01)
    assert found["reconstruction"] == pytest.approx(((q * log_p).sum() / q.sum()).item(), abs=0.01)
    assert found["kl"] == pytest.approx(kl.tolist(), rel=1e-4)
    assert np.array(found["sums"]) * steps.prod().item() == pytest.approx(1, abs=0.01)
    assert found["pixels"] == pytest.approx(found["reconstruction"])
    assert found["elbo"] == pytest.approx(found["reconstruction"] - sum(found["kl"]), abs=1e-4)
    assert found["gap"] == pytest.approx(found["evidence"] - found["elbo"]) and found["gap"] > 0
