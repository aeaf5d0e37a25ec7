"""A saved model can be loaded again; damaged and forged weight files are refused in one sentence."""

import json
import re
import struct
import warnings

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save as serialise

from vaehelpers import explorer, model, weights
from vaehelpers.model import VAE

FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def small():
    return weights.to_bytes(VAE(32, 2), {"note": "β"})


def test_a_saved_model_comes_back_with_its_card(tmp_path):
    saved = VAE(32, 3)
    weights.save(saved, tmp_path / "m.safetensors", {"note": "β"})
    loaded, card = weights.load(tmp_path / "m.safetensors")
    assert card["note"] == "β" and not loaded.training
    torch.testing.assert_close(loaded.decoder(torch.ones(2, 3)), saved.decoder(torch.ones(2, 3)), atol=5e-3, rtol=5e-3)


def forged(data, change=lambda header: None, length=None):
    """Return the bytes of a file with a changed header."""
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    change(header)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data[8 + size :]


def with_card(card):
    return lambda header: header.update(__metadata__={"card": card})


def of_model(**shape):
    return with_card(json.dumps({"model": shape}))


def with_bias(**changes):
    return lambda header: header["encoder.posterior.bias"].update(changes)


HOSTILE = {
    "a pickle": lambda data: b"\x80\x04\x95.",
    "a header that lies about its size": lambda data: forged(data, length=2**63),
    "offsets beyond the end": lambda data: forged(data, with_bias(data_offsets=(2**62, 2**62 + 8))),
    "no metadata": lambda data: forged(data, lambda header: header.pop("__metadata__")),
    "a card that is no JSON": lambda data: forged(data, with_card("{")),
    "a card without end": lambda data: forged(data, with_card("[" * 100_000)),
    "a card with endless digits": lambda data: forged(data, with_card("9" * 5000)),
    "a model of a million latents": lambda data: forged(data, of_model(latent_dim=10**6)),
    "a model of more latents than a float holds": lambda data: forged(data, of_model(latent_dim=10**400)),
    "half a latent": lambda data: forged(data, of_model(latent_dim=2.5)),
    "images of a million pixels": lambda data: forged(data, of_model(size=2**20)),
    "an unknown argument": lambda data: forged(data, of_model(more=1)),
    "an unknown type": lambda data: forged(data, with_bias(dtype="F4096")),
    "complex numbers": lambda data: serialise({"x": torch.zeros(3, dtype=torch.complex64)}, {"card": "{}"}),
}  # fmt: skip
REFUSED = "^path: '.*' (is damaged or was not written by|does not hold a model of) this course"
REFUSED += "|^(size|channels|latent_dim): need"


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_weight_file_is_named_and_the_size_that_it_claims_not_allocated(kind, small, tmp_path, monkeypatch):
    path, made = tmp_path / "m.safetensors", []
    path.write_bytes(HOSTILE[kind](small))
    monkeypatch.setattr(model, "_initialise", lambda network: made.extend(network.parameters()))
    with pytest.raises(ValueError, match=REFUSED):
        weights.load(path)
    assert all(parameter.is_meta for parameter in made)


DAMAGES = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=3)


@FUZZ
@given(changes=DAMAGES, end=st.floats(0.5, 1.5))
def test_any_damage_of_a_weight_file_gives_a_model_or_an_error(tmp_path_factory, small, changes, end):
    header = 8 + struct.unpack("<Q", small[:8])[0]
    content = bytearray(small[: int(end * len(small))])
    for place, piece in changes:  # half of them in the header
        at = int(place * 2 * header) if place < 0.5 else int(place * len(content))
        content[at : at + len(piece)] = piece
    path = tmp_path_factory.getbasetemp() / "fuzz.safetensors"
    path.write_bytes(content)
    with warnings.catch_warnings(action="error"):
        try:
            assert isinstance(weights.load(path)[0], VAE)
        except ValueError as error:
            assert re.search(REFUSED, str(error)), error


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)
SHAPE = {"size": JSON | st.just(32), "latent_dim": JSON | st.just(2), "channels": JSON | st.just(1)}
ENTRY = {"model": JSON | st.fixed_dictionaries(SHAPE), "latents": JSON, "vary": JSON, "data": JSON | st.just("hands")}
CARDS = JSON | st.fixed_dictionaries(ENTRY)


@FUZZ
@given(card=CARDS)
def test_any_card_gives_a_model_or_an_error(tmp_path_factory, small, card):
    path = tmp_path_factory.getbasetemp() / "card.safetensors"
    path.write_bytes(forged(small, with_card(json.dumps(card))))
    try:
        network, found = weights.load(path)
        explorer.LatentExplorer(network, found)
    except ValueError as error:
        assert re.search(REFUSED + "|^card: need", str(error)), error
