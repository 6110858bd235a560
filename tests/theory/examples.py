"""Values for every bound: one that it takes, and one that violates each assumption that numbers can violate."""

from slth.theory import THEOREMS

_BY_LETTER = {
    "M": 1000,
    "alpha": 20.0,
    "bits": 100,
    "c": 4,
    "d": 10,
    "delta": 0.01,
    "dimension": 3,
    "edges": 1000,
    "epsilon": 0.01,
    "error": 0,
    "gamma": 0.1,
    "k": 8,
    "kernel": 3,
    "n": 20,
    "p": 0.3,
    "step": 2.0**-8,
    "tolerance": 0.01,
    "weights": 1000,
}
_OWN = {
    "planted": {"n": 60, "d": 5, "k": 2, "epsilon": 0.3},
    "rfss-large": {"k": 100_000, "epsilon": 0.1},
    "natale-large": {"gamma": 0.5, "d": 10**9, "layers": 10**6, "epsilon": 1e-15},
}
VIOLATED = {
    "pensia": {"d": 1, "epsilon": 0.5, "delta": 0.5},
    "ferbach": {"d": 1, "epsilon": 0.5, "delta": 0.5},
    "xiong": {"d": 1, "epsilon": 0.5, "delta": 0.5},
    "dacunha-cnn": {"kernel": 1, "c": 1, "epsilon": 0.5, "delta": 0.5},
    "rfss-large": {"k": 8, "epsilon": 0.1},
    "natale-large": {"gamma": 0.5, "d": 10, "epsilon": 0.01},
    "unified": {"M": 10, "error": 10},
    "otsuka": {"d": 100, "alpha": 9.0, "epsilon": 0.1},
    "otsuka-values": {"d": 10, "d_out": 100, "alpha": 9.0, "epsilon": 0.1},
    "otsuka-block": {"d": 100, "alpha": 9.0, "epsilon": 0.1},
    "otsuka-block-dense": {"d": 100, "alpha": 9.0, "epsilon": 0.1},
    "subsets-of-size": {"n": 5, "k": 6, "epsilon": 0.1},
    "pensia-lower": {"d": 10, "epsilon": 0.6},
    "sparse-lower": {"d": 10, "epsilon": 0.6, "gamma": 0.1},
    "natale-lower": {"d": 10, "epsilon": 0.1, "k": 8},
    "natale-density-lower": {"d": 10, "epsilon": 0.1, "gamma": 0.1},
}


def values_for(name):
    """Values of the letters that have no default."""
    needed = [letter for letter, known in THEOREMS[name].letters.items() if known.default is None]
    return {letter: _OWN.get(name, {}).get(letter, _BY_LETTER[letter]) for letter in needed} | _OWN.get(name, {})
