"""Which papers the parts of slth rest on: names, as their registries have them, and keys of `REFERENCES`."""

from collections.abc import Iterable, Mapping

from slth import _arguments
from slth._errors import InputError
from slth.theory._references import REFERENCES

Keys = tuple[str, ...]

GADGETS: Mapping[str, Keys] = {  # the sources of each construction
    "two-layer": ("pensia2020", "lueker1998"),
    "merged": ("otsuka2026",),
    "copies": ("burkholz2022dense", "burkholz2022conv", "fischer2021"),
    "neurons": ("dacunha2023structured", "becchetti2022"),
    "single": ("malach2020",),
    "single-plain": ("malach2020",),
    "plain": ("lueker1998", "pensia2020"),
    "counts": ("diffenderfer2021",),
    "doubling": ("sreenivasan2022",),
    "grid": ("kumar2025", "borgs2001"),
}
OBJECTIVES: Mapping[str, Keys] = {  # of each choice of a subset
    "within": ("lueker1998", "horowitz1974"),
    "fewest": ("burkholz2022dense",),
    "exactly": ("natale2024", "horowitz1974"),
    "closest": ("horowitz1974",),
    "moved": ("xiong2023",),
}
LIFTS: Mapping[str, Keys] = {  # of the first of two layers
    "relu": ("pensia2020",),
    "linear": ("otsuka2026",),
}
LAWS: Mapping[str, Keys] = {  # of sources, without their numbers
    "uniform": ("lueker1998",),
    "sign": ("diffenderfer2021", "sreenivasan2022"),
    "normal": ("pensia2020",),
    "grid": ("kumar2025",),
    "hyperbolic": ("orseau2020",),
    "pruned": ("gadhikar2023",),
    "mixture": ("lueker1998",),
}
WEIGHT_LAWS: Mapping[str, Keys] = {  # of networks that are searched
    "kaiming_normal": ("he2015",),
    "kaiming_uniform": ("he2015",),
    "signed_constant": ("ramanujan2020", "zhou2019"),
    "glorot_normal": ("glorot2010",),
}
METHODS: Mapping[str, Keys] = {  # of each method of search
    "edge-popup": ("ramanujan2020",),
    "biprop": ("diffenderfer2021",),
    "supermask": ("zhou2019",),
    "magnitude": ("frankle2019", "frankle2020", "zhou2019"),
    "perturbed-edge-popup": ("xiong2023", "ramanujan2020"),
}
OTHERS: Mapping[str, Keys] = {  # of other parts, by the names that tickets have for them
    "stream": ("salmon2011",),
    "centred": ("borgs2001",),
    "erk": ("mocanu2018", "evci2020"),
    "Conv": ("dacunha2022cnn",),  # bases of linear maps
    "ConvTranspose": ("dacunha2022cnn",),
    "Steerable": ("ferbach2023",),
    "Permutation": ("ferbach2023", "maron2019"),
    "statistical": ("clopper1934",),
    "norms": ("ehlich1964",),
}
REPRODUCTIONS: Mapping[str, Keys] = {  # of `slth.reproductions`: the sources of each
    "error": ("lueker1998", "dacunha2022rss"),
    "drift": ("dacunha2022rss", "lueker1998"),
    "failure": ("dacunha2022rss", "lueker1998"),
    "one-number": ("pensia2020", "malach2020", "lueker1998", "diffenderfer2021"),
    "mixtures": ("lueker1998", "dacunha2022rss", "pensia2020"),
    "products": ("pensia2020", "lueker1998"),
    "fixed-size": ("natale2024",),
    "null-function": ("mallmanntrenn2025", "natale2024", "lueker1998"),
    "integers": ("unified2026", "kumar2025", "borgs2001"),
    "subset-sum-tables": ("lueker1998", "pensia2020", "natale2024", "xiong2023"),
    "moved-numbers": ("xiong2023", "lueker1998"),
    "vectors": ("becchetti2022", "dacunha2023structured"),
    "scaled-normals": ("mallmanntrenn2025", "dacunha2023structured", "laurent2000"),
    "second-moment": ("becchetti2022",),
    "cube": ("mallmanntrenn2025", "becchetti2022"),
    "one-dimension": ("mallmanntrenn2025", "dacunha2023structured", "becchetti2022"),
    "density": ("natale2024", "malach2020", "pensia2020"),
    "moves": ("xiong2023", "pensia2020"),
    "depth": ("pensia2020",),
    "replacement": ("pensia2020",),
    "structure": ("pensia2020",),
    "convolutions": ("dacunha2022cnn",),
    "copies": ("burkholz2022dense", "pensia2020"),
    "equivariant": ("ferbach2023",),
    "attention": ("otsuka2026",),
    "xiong": ("xiong2023", "ramanujan2020"),
    "perturbations": ("xiong2023",),
    "rewinding": ("frankle2019", "diffenderfer2021", "hoefler2021"),
    "flipped-masks": ("zhou2019", "ramanujan2020", "diffenderfer2021"),
    "widths": ("ramanujan2020",),
    "biprop": ("diffenderfer2021",),
    "fastest": ("pensia2020", "ramanujan2020", "diffenderfer2021", "frankle2019"),
}
_PARTS = (GADGETS, OBJECTIVES, LIFTS, LAWS, WEIGHT_LAWS, METHODS, OTHERS, REPRODUCTIONS)


def keys_of(name: str, bounds: Mapping[str, Keys]) -> Keys:
    """The keys of what has this name: a part of slth, one of the bounds, or a paper by its key.

    A law of a source may stand with its numbers.

    Raises:
        InputError: nothing has this name; the nearest is named.

    >>> keys_of("grid", {}), keys_of("mixture/0.5/grid/3", {})
    (('kumar2025', 'borgs2001'), ('lueker1998', 'kumar2025'))
    """
    known = (*_PARTS, bounds, {key: (key,) for key in REFERENCES})
    if "/" in name and name.partition("/")[0] in LAWS:
        found = [LAWS[part] for part in _families(name)]
    else:
        found = [table[name] for table in known if name in table]
    if not found:
        listed = [part for table in known for part in table]
        close = _arguments.near(name, listed)
        hint = f"did you mean {close!r}? E" if close else "e"
        raise InputError(
            f"nothing is called {name!r}; {hint}xpected a ticket's file, or the name of a gadget, an objective, a law, "
            "a method, a bound, a reproduction or a paper (slth bounds, slth search --list)"
        )
    return tuple(dict.fromkeys(key for keys in found for key in keys))


def _families(law: str) -> Iterable[str]:
    """The names in a source's law, in order: mixture and grid of mixture/0.5/grid/3."""
    from slth.numerics import source_law

    source_law(law)
    return [part for part in law.split("/") if part in LAWS]
