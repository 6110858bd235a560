"""The rule of each verdict about learning, on made-up outcomes: the smallest cases decide."""

import numpy as np
import pytest
import torch

from slth.reproductions import Measured, Scale, Verdict, find
from slth.reproductions._figure import draw
from slth.reproductions.learning import flipped_masks, rewinding, xiong
from slth.reproductions.learning._training import dense, weights_of

SMALL, SMOKE = Scale.SMALL, Scale.SMOKE


def concluded(name, measured, scale=SMALL):
    found = find(name).conclude(measured, scale)
    assert found.because.endswith(".")
    assert ".." not in found.because
    assert not any(word in found.because for word in ("nan", "inf", "None", "  "))
    return found


def part(options, outcome):
    return Measured(repr(options), options, outcome, 1.0)


# xiong


def tables(warm, cold=None):
    """Parts of both settings, from tables (pruned fraction, epsilon) as the published one."""
    both = {"warm scores": warm, "cold scores": warm if cold is None else cold}
    return [
        part(
            {"setting": setting, "epsilon": epsilon, "pruned": list(xiong.PRUNED), "seed": 0},
            {"accuracy": table[:, j].tolist()},
        )
        for setting, table in both.items()
        for j, epsilon in enumerate(xiong.EPSILONS)
    ]


def changed(*cells):
    table = xiong.PUBLISHED.copy()
    for row, column, value in cells:
        table[row, column] = value
    return table


@pytest.mark.parametrize(
    ("table", "verdict"),
    [
        (changed(), Verdict.REPRODUCED),
        (np.minimum(xiong.PUBLISHED + 0.049, 1), Verdict.REPRODUCED),
        (xiong.PUBLISHED - 0.051, Verdict.IN_SHAPE),
        (changed((-1, -1, 0.49)), Verdict.REPRODUCED),
        (changed((-1, -1, 0.5)), Verdict.NOT_REPRODUCED),  # no destructive corner
        (changed((2, 0, 0.86)), Verdict.NOT_REPRODUCED),  # best s = 0.2 at epsilon = 0
        (changed((7, 0, 0.86)), Verdict.NOT_REPRODUCED),
        (changed((3, 0, 0.86)), Verdict.REPRODUCED),
        (changed((1, -1, 0.99)), Verdict.NOT_REPRODUCED),  # something pruned is best at epsilon = 0.3
    ],
)
def test_xiong(table, verdict):
    assert concluded("xiong", tables(table)).verdict is verdict
    assert concluded("xiong", tables(changed(), cold=table)).verdict is Verdict.REPRODUCED  # warm scores decide
    assert concluded("xiong", tables(table), SMOKE).verdict is Verdict.TOO_SMALL


def test_xiong_says_what_each_setting_has():
    nothing = np.tile(np.linspace(0.9, 0.6, 9)[:, None], (1, 11))
    nothing[1] = 0.95
    said = concluded("xiong", tables(changed(), cold=nothing)).because
    assert "warm scores have the destructive corner, a best s between 0.3 and 0.6 at epsilon = 0, s = 0 best" in said
    assert "cold scores have nothing of the shape" in said


def test_xiong_has_the_published_cells_beside_its_own():
    rows = {row.what: row for row in concluded("xiong", tables(changed())).rows}
    assert all(row.difference in (None, 0) for row in rows.values())
    assert rows["warm scores: s = 0.8, epsilon = 0.3"].published == 0.17
    assert rows["warm scores: best s at epsilon = 0"].published == 0.5
    assert rows["warm scores: first epsilon where s = 0 is best"].published == 0.05  # a tie at 0.04


@pytest.mark.parametrize("name", ["xiong", "perturbations"])
def test_what_has_no_size_in_its_paper_is_not_attempted_at_that_scale(name):
    assert not find(name).parts(Scale.PAPER, 0)
    assert set(find(name).data) == {SMALL}


def test_xiong_marks_as_the_poster_does():
    (figure,) = concluded("xiong", tables(changed())).figures
    published = figure.panels[0].content
    column, row, region = published.frames
    assert (column.boxes, row.boxes) == (((0, 0, 9, 1),), ((0, 0, 1, 11),))
    assert region.boxes == tuple((1, j, 8, 1) for j in (6, 7, 8, 9, 10))  # from epsilon = 0.05 on, and the tie at 0.04
    assert draw(figure).count(b">no better than SGD alone<") == 3


# perturbations


def moves(direction=0.5, distance=1.0, epsilons=(0.01, 0.1), earlier=0.5):
    def outcome(agreed):
        way = {"within": 0.1, "error": 1e-3, "distance": 0.5, "accuracy": 0.9}
        moved = {name: {**way, "direction": 0.5} for name in ("task", "function")}
        masked, best = {**way, "direction": agreed}, {**way, "distance": distance}
        return {"target": 0.9, "none": way, **moved, "masked": masked, "best": best}

    return [
        part({"epsilon": epsilon, "seed": 0}, outcome(direction if epsilon == epsilons[-1] else earlier))
        for epsilon in epsilons
    ]


@pytest.mark.parametrize(
    ("direction", "verdict"), [(0.56, Verdict.IN_SHAPE), (0.55, Verdict.NOT_REPRODUCED), (0.3, Verdict.NOT_REPRODUCED)]
)
def test_perturbations(direction, verdict):
    assert concluded("perturbations", moves(direction)).verdict is verdict
    assert concluded("perturbations", moves(direction, earlier=0.9)).verdict is verdict  # the largest epsilon decides
    assert concluded("perturbations", moves(direction), SMOKE).verdict is Verdict.TOO_SMALL


@pytest.mark.parametrize(
    ("direction", "distance", "said"),
    [
        (0.5, 0.6, "is a good set of moves by that, and not the one that is best weight by weight."),
        (0.5, 0.4, "is not as good a set of moves by that, and not the one that is best weight by weight."),
        (0.6, 0.5, "is a good set of moves by that, and the same one."),
    ],
)
def test_perturbations_say_whether_the_moves_are_good_and_whether_they_are_the_best(direction, distance, said):
    """The masked ones leave 0.5 of the distance."""
    found = concluded("perturbations", moves(direction, distance))
    assert found.because.endswith(said)
    assert f"0.5 (masked), {distance} (best)" in found.because


# rewinding

DENSITIES = (1.0, 0.4, 0.2, 0.011)


def rounds(better=0.0, sparse=0.0, fresh=-0.01, seeds=3, noise=0.0):
    """Rewound accuracies 0.9 + ...; `noise` moves the gain of one seed."""
    return [
        part(
            {"seed": seed},
            {
                "density": list(DENSITIES),
                "rewound": [0.9, *[0.9 + better + noise * (seed - 1)] * 2, 0.9 + sparse],
                "fresh": {"1": 0.9 + better - 0.1, "3": 0.9 + sparse + fresh},
            },
        )
        for seed in range(seeds)
    ]


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({"better": 0.01}, Verdict.REPRODUCED),
        ({"better": 0.01, "sparse": -0.0099}, Verdict.REPRODUCED),
        ({"better": 0.01, "sparse": -0.0101}, Verdict.IN_SHAPE),
        ({"better": 0.01, "noise": 0.008}, Verdict.REPRODUCED),  # standard error 0.0046
        ({"better": 0.01, "noise": 0.009}, Verdict.IN_SHAPE),  # 0.0052
        ({"better": -0.01, "sparse": -0.1}, Verdict.IN_SHAPE),
        ({"better": 0.01, "fresh": 0.01}, Verdict.NOT_REPRODUCED),  # half of the comparisons
        ({"better": 0.01, "seeds": 1}, Verdict.IN_SHAPE),  # one seed has no standard error
    ],
)
def test_rewinding(given, verdict):
    assert concluded("rewinding", rounds(**given)).verdict is verdict
    assert concluded("rewinding", rounds(**given), SMOKE).verdict is Verdict.TOO_SMALL


def test_99_percent_pruned_is_reached_by_every_scale():
    for scale in Scale:
        for one in find("rewinding").parts(scale, 0):
            sizes = [a * b for a, b in zip((784, *one.options["hidden"]), (*one.options["hidden"], 10), strict=True)]
            masks = [torch.ones(size) for size in sizes]
            for _ in range(one.options["rounds"]):
                rates = [rewinding._RATE] * (len(masks) - 1) + [rewinding._LAST_RATE]
                masks = [rewinding._pruned(mask, mask, rate) for mask, rate in zip(masks, rates, strict=True)]
            assert sum(map(torch.count_nonzero, masks)) / sum(sizes) <= rewinding._SPARSE


def test_weights_of_every_round_and_seed_are_drawn_for_themselves():
    drawn = []
    for seed, key in ((0, "start"), (0, "fresh 5"), (0, "fresh 21"), (1, "fresh 5"), (0, "fresh 5")):
        model = dense(4, inputs=3)
        rewinding._draw(model, seed, key)
        drawn.append(float(weights_of(model)[0].detach()[0, 0]))
    assert len(set(drawn)) == 4
    assert drawn[1] == drawn[-1]


# flipped-masks


def flips(supermask, half=0.03):
    curves = {"edge-popup": 0.9, "biprop": 0.9, "supermask": supermask}
    return [
        part(
            {"method": method, "seed": 0},
            {"accuracy": [accuracy if fraction < half else 0.1 for fraction in flipped_masks.FLIPPED]},
        )
        for method, accuracy in curves.items()
    ]


@pytest.mark.parametrize(
    ("supermask", "verdict"),
    [
        (0.953, Verdict.REPRODUCED),
        (0.934, Verdict.REPRODUCED),
        (0.932, Verdict.NOT_REPRODUCED),
        (0.974, Verdict.NOT_REPRODUCED),
    ],
)
def test_flipped_masks(supermask, verdict):
    assert concluded("flipped-masks", flips(supermask)).verdict is verdict
    assert concluded("flipped-masks", flips(supermask), SMOKE).verdict is Verdict.TOO_SMALL


@pytest.mark.parametrize(("half", "said"), [(0.001, "0.1% (edge"), (0.1, "10.0% (edge"), (1, "more than 50% (edge")])
def test_flipped_masks_say_where_half_is_lost(half, said):
    assert f"is lost where {said}" in concluded("flipped-masks", flips(0.953, half)).because


# widths and biprop


def grid(method, pruned, trained):
    """Accuracies over widths 1, 2, ..., of the pruned (a list, or several by density) and of the trained network."""
    curves = {("trained", 1.0): trained, **{(method, density): curve for density, curve in pruned.items()}}
    return [
        part({"method": way, "density": at, "width": float(width), "seed": 0, "data": "digits"}, {"accuracy": accuracy})
        for (way, at), curve in curves.items()
        for width, accuracy in enumerate(curve, 1)
    ]


@pytest.mark.parametrize(
    ("pruned", "trained", "verdict"),
    [
        ([0.5, 0.8], [0.8, 0.9], Verdict.IN_SHAPE),
        ([0.5, 0.7951], [0.8, 0.9], Verdict.IN_SHAPE),  # as good as, up to 0.005
        ([0.5, 0.794], [0.8, 0.9], Verdict.NOT_REPRODUCED),
        ([0.81, 0.8], [0.8, 0.9], Verdict.NOT_REPRODUCED),  # does not rise
        ([0.81, 0.95], [0.8, 0.9], Verdict.IN_SHAPE),  # as good as trained ones already at their own width
        ([0.1, 0.9], [0.95, 0.9], Verdict.NOT_REPRODUCED),  # meets one of its own width alone
    ],
)
def test_widths(pruned, trained, verdict):
    measured = grid("edge-popup", {0.5: pruned}, trained)
    assert concluded("widths", measured).verdict is verdict
    assert concluded("widths", measured, SMOKE).verdict is Verdict.TOO_SMALL


@pytest.mark.parametrize(
    ("pruned", "verdict", "said"),
    [
        ([0.81, 0.91], Verdict.REPRODUCED, "at 2 of 2 widths: +1.0% at width 1, +1.0% at width 2"),
        ([0.81, 0.9], Verdict.IN_SHAPE, "at 1 of 2 widths"),
        ([0.8, 0.9], Verdict.NOT_REPRODUCED, "at 0 of 2 widths"),
    ],
)
def test_biprop(pruned, verdict, said):
    worse = [0.2, 0.2]
    measured = grid("biprop", {0.2: worse, 0.5: pruned, 0.8: worse}, [0.8, 0.9])
    found = concluded("biprop", measured)
    assert (found.verdict, said in found.because) == (verdict, True)
    assert concluded("biprop", measured, SMOKE).verdict is Verdict.TOO_SMALL


# fastest


def runs(curves):
    """Runs of {data set: {way: [(seconds, accuracy), ...]}}."""
    return [
        part(
            {"data": data, "way": way},
            {"seconds": seconds, "accuracy": accuracy, "source": 100, "kept": 10}
            | ({"target": accuracy + 0.001} if way == "construct" else {}),
        )
        for data, ways in curves.items()
        for way, points in ways.items()
        for seconds, accuracy in points
    ]


LATE = {"edge-popup": [(9, 0.9)], "biprop": [(9, 0.8)], "magnitude": [(9, 0.8)]}


@pytest.mark.parametrize(
    ("sets", "verdict", "said"),
    [
        ({"a": {"construct": [(1, 0.5), (9, 0.95)], **LATE}}, Verdict.IN_SHAPE, "a: construct."),
        ({"a": {"construct": [(1, 0.5)], **LATE}}, Verdict.NOT_REPRODUCED, "a: edge-popup."),
        ({"a": {"construct": [(9, 0.9)], **LATE}}, Verdict.NOT_REPRODUCED, "a: construct and edge-popup."),  # a tie
        (
            {"a": {"construct": [(1, 0.95)], **LATE}, "b": {"construct": [(1, 0.5)], **LATE}},
            Verdict.NOT_REPRODUCED,
            "a: construct, b: edge-popup.",
        ),
    ],
)
def test_fastest(sets, verdict, said):
    found = concluded("fastest", runs(sets))
    assert (found.verdict, said in found.because) == (verdict, True)
    assert "trained small network up to 0.10%" in found.because
    assert concluded("fastest", runs(sets), SMOKE).verdict is Verdict.TOO_SMALL
