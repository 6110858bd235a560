"""The laws of sources are part of the file format: these values may never change, and no sum of them rounds."""

import hashlib
from fractions import Fraction

import numpy as np
import pytest

from slth import InputError
from slth.numerics import EXACT_TERMS, SOURCE_LAWS, Stream, draw, from_words, source_law

# SHA-256 of the float32 values of 2²² words spread over all of them, their last bytes included.
PINNED = {
    "uniform": "81213d9c7831d9e6b0d445d658f4a216d480f75425c89c181881fc2255aa4ba1",
    "sign": "e872a9c14e63009a6ecd441f7f92cd94181c1bbd687517a7f414ddaa5ec7a978",
    "normal/20": "cbb20eb2e2632a30d4b28b64a568b7bafb4924c86f060bd68a80cdca08efbb0c",
    "grid/0": "432d8b7cda77cecd67c65d95a83ae50c8e188ff782188af881dbc1f3dc16e1c2",
    "grid/4": "9f9d6cc270b36d768519d014f85ce9a2e6214f94ef0e9d0fa63bd6b0ff7ca875",
    "grid/20": "2a6513d9f27e923a6aeff7ccb911393ad91d6a5f09faf307c153136cebac4017",
    "hyperbolic/1": "95f6932318aa30b719ac7cabdc4a8cd3a6df55646b062f68563af51a9ec5ec0f",
    "hyperbolic/8": "523893fa2bcfad40912b8a0c2bba5317a957fbb1decd461b19394001dd19d454",
    "hyperbolic/16": "d357376dd401fea76c9743c1cfb9e9e9b1ce067d414fdf184dc6225a6798faba",
    "pruned/0.25": "2c589c86d08a78ae5b0bd9ed485b7d3acf6cb742c0a9c9224075cc7c4ff93a94",
    "mixture/0.5/sign": "f9a0298ad7af2c6c0fd5c7b1576bd0e47a07ee1329498777046d909ad579106b",
    "mixture/0.75/grid/3": "d5fa75b258e3de5f696ee194771b9290b28aadbeb286125257dfe1d3394f53a3",
    "mixture/0.5/hyperbolic/8": "4f87b97fe727a7bf88f2c4cb545c537bc9cc4ec7aee339032888573e7d586c7c",
}
every_law = pytest.mark.parametrize("name", PINNED)


def spread():
    """An odd step visits words whose first and last bytes both change."""
    return np.arange(2**22, dtype=np.uint32) * np.uint32(2**10 + 1)


@every_law
def test_the_values_of_every_law_are_pinned(name):
    assert hashlib.sha256(from_words(spread(), name).tobytes()).hexdigest() == PINNED[name]


def test_every_kind_of_law_is_pinned():
    assert {name.partition("/")[0] for name in PINNED} == {name.partition("/")[0] for name in SOURCE_LAWS}


@every_law
def test_values_are_bounded_multiples_of_a_power_of_two_and_no_negative_zero(name):
    law, values = source_law(name), from_words(spread(), name).astype(np.float64)
    assert np.abs(values).max() <= law.bound
    steps = values * 2.0**law.bits
    assert (steps == np.rint(steps)).all()
    assert not np.signbit(values[values == 0]).any()


@every_law
def test_sums_of_128_products_of_two_values_are_exact_in_float64(name):
    """The largest sum has at most 53 bits; random ones and the worst one equal their sums of fractions."""
    law = source_law(name)
    largest = Fraction(law.bound) ** 2 * 2 ** (2 * law.bits)
    assert EXACT_TERMS * largest <= 2**53
    values = draw(Stream(3, f"sums/{name}"), name, (2, 40, EXACT_TERMS)).astype(np.float64)
    values[:, 0] = np.abs(from_words(np.array([2**32 - 256 * 3], np.uint32), name)[0])
    for u, v in zip(*values, strict=True):
        exact = sum((Fraction(a) * Fraction(b) for a, b in zip(u.tolist(), v.tolist(), strict=True)), Fraction(0))
        total = 0.0
        for x in (u * v).tolist():
            total += x
        assert Fraction(total) == exact


@every_law
def test_the_words_that_serve_are_those_of_values_beyond_the_threshold(name):
    """Both sides, both parts of a mixture, and right at the ends of each interval."""
    law = source_law(name)
    for threshold in (0.5, 1.0, 0.03125):
        ends = law.serving(threshold)
        close = (ends.reshape(-1, 1).astype(np.int64) + np.arange(-300, 301)).reshape(-1) % 2**32
        words = np.concatenate([spread()[::64], close.astype(np.uint32)])
        values, last = law.values(words), words & np.uint32(255)
        for side, sign in enumerate((1, -1)):
            inside = [(words >= first) & (words <= end) for first, end in ends[:, side]]
            coin = last < 256 * law.uniform if len(inside) == 2 else np.ones(len(words), np.bool_)
            assert (np.where(coin, inside[0], inside[-1]) == (sign * values >= threshold)).all()


@pytest.mark.parametrize(
    ("name", "mean_size", "variance"),
    [
        ("normal/20", np.sqrt(2 / np.pi), 1.0),
        ("grid/1", 0.6, 0.5),
        ("hyperbolic/8", (1 - 2**-8) / (8 * np.log(2)), (1 - 2**-16) / (16 * np.log(2))),
        ("pruned/0.25", 1 / 8, 1 / 12),
        ("mixture/0.5/sign", 0.75, 2 / 3),
    ],
)
def test_the_moments_are_those_of_the_law(name, mean_size, variance):
    values = draw(Stream(1, "moments"), name, (200_000,)).astype(np.float64)
    assert abs(values.mean()) < 0.01
    assert abs(np.abs(values).mean() - mean_size) < 0.005
    assert abs(values.var() - variance) < 0.01


def test_a_grid_hits_each_of_its_values_equally_often():
    counts = np.unique(draw(Stream(2, "counts"), "grid/3", (170_000,)), return_counts=True)[1]
    assert len(counts) == 17
    assert np.abs(counts - 10_000).max() < 500


def test_a_hyperbolic_law_hits_each_factor_of_two_equally_often():
    sizes = np.abs(draw(Stream(2, "octaves"), "hyperbolic/8", (80_000,)))
    counts = np.histogram(np.log2(sizes), np.arange(-8, 1))[0]
    assert np.abs(counts - 10_000).max() < 500


def test_what_survives_is_uniform_and_the_rest_is_zero():
    """A share P of the values, whatever the first three bytes of the word say."""
    values = draw(Stream(5, "pruned"), "pruned/0.25", (100_000,))
    alive = values[values != 0]
    assert abs(len(alive) / 100_000 - 0.25) < 0.01
    assert np.abs(np.histogram(alive, np.linspace(-1, 1, 11))[0] - 2500).max() < 300
    plain = draw(Stream(5, "pruned"), "uniform", (100_000,))
    assert (values[values != 0] == plain[values != 0]).all()


@pytest.mark.parametrize("name", ["normal/20", *(f"hyperbolic/{octaves}" for octaves in range(1, 17))])
def test_no_value_is_near_the_middle_of_two_multiples(name):
    """All 2²³ magnitudes of the law: any library that is right to 10 units in the last place rounds to the same."""
    from scipy.special import ndtri

    place = (np.arange(2**23) + 0.5) * 2.0**-23
    values = ndtri((1 + place) / 2) if name == "normal/20" else np.exp2(-int(name.partition("/")[2]) * (1 - place))
    steps = values * 2.0**20
    middle = np.abs(steps - np.floor(steps) - 0.5) * 2.0**-20
    assert middle.min() > 4e-15


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gaussian", "expected a law of random numbers, one of uniform"),
        ("normal", "normal/20"),
        ("grid/21", "a whole number from 0 to 20"),
        ("grid/", "such as grid/8"),
        ("grid/08", "leading zeros"),
        ("hyperbolic/0", "from 1 to 16"),
        ("hyperbolic/²", "from 1 to 16"),
        ("pruned/0.3", r"multiple of 1/256.*nearest is 0.30078125"),
        ("pruned/1", "between 1/256 and 255/256"),
        ("pruned/nan", "between 1/256 and 255/256"),
        ("pruned/0.50", "nearest is 0.5"),
        ("mixture/0.5/normal/20", "of the law sign, grid/K or hyperbolic/B"),
        ("mixture/0.5/mixture/0.5/sign", "of the law sign, grid/K or hyperbolic/B"),
        ("mixture/0.5", "of the law sign"),
    ],
)
def test_other_names_are_refused_with_what_to_try(name, words):
    with pytest.raises(InputError, match=words):
        source_law(name)
