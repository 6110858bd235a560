"""Exactly the k largest |s|, ties by index, on every road; the gradient is that of edge-popup."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor, nn

from slth import InputError
from slth.learning import selection
from slth.learning.selection import NARROW, count_kept, masked, product, top

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=True, allow_subnormal=True)
TIED = st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-45, -1e-45, 1e-40, float("inf"), -float("inf"), 0.5])
SCORES = st.one_of(*(hnp.arrays(np.float32, st.integers(1, 200), elements=kind) for kind in (FLOATS, TIED)))


def reference(scores: np.ndarray, kept: int) -> np.ndarray:
    """By |s| downwards, then by index: the first `kept`."""
    order = np.lexsort((np.arange(scores.size), -np.abs(scores.ravel().astype(np.float64))))
    mask = np.zeros(scores.size, bool)
    mask[order[:kept]] = True
    return mask.reshape(scores.shape)


def compiled(scores: np.ndarray, kept: int, window: Tensor) -> np.ndarray:
    """The mask of the compiled road: what is left of a weight of ones."""
    s = torch.from_numpy(scores)
    return masked(torch.ones_like(s), s, kept, window).numpy() == 1


@settings(max_examples=100, deadline=None)
@given(SCORES, st.data())
def test_both_roads_keep_the_k_largest_wherever_the_window_lies(scores, data):
    kept = data.draw(st.integers(1, scores.size))
    middle = data.draw(st.one_of(st.integers(0, 2**31 - 1), st.sampled_from(scores.view(np.int32) & 0x7FFFFFFF)))
    window = torch.tensor([int(middle), data.draw(st.sampled_from([1, 2, NARROW, 2**20, 2**31, 2**33]))])
    wanted = reference(scores, kept)
    assert (compiled(scores, kept, window) == wanted).all()
    assert (top(torch.from_numpy(scores), kept).numpy() == wanted).all()
    assert (compiled(scores, kept, window) == wanted).all()  # with the window that the first call left


@pytest.mark.parametrize("value", [0.0, 1.0, 1e-45])
def test_all_equal_scores_keep_the_first_k_of_more_than_fit_in_the_window(value):
    scores = np.full(10_000, value, np.float32)  # all of them lie in the window: more than its first room
    for kept in (1, 4096, 9_999, 10_000):
        for middle in (0, int(scores.view(np.int32)[0])):
            assert (compiled(scores, kept, torch.tensor([middle, NARROW])) == (np.arange(10_000) < kept)).all()


def test_every_k_of_a_tied_vector():
    scores = np.random.default_rng(0).integers(-3, 4, 300).astype(np.float32)
    for kept in range(1, 301):
        wanted = reference(scores, kept)
        assert (compiled(scores, kept, torch.tensor([0, NARROW])) == wanted).all()
        assert (top(torch.from_numpy(scores), kept).numpy() == wanted).all()


def test_the_window_stays_exact_while_scores_drift_and_jump():
    generator = torch.Generator().manual_seed(1)
    scores = torch.rand(5_000, generator=generator) - 0.5
    window = torch.tensor([0, NARROW])
    for step in range(120):
        assert (compiled(scores.numpy(), 1_700, window) == reference(scores.numpy(), 1_700)).all()
        scores += 1e-3 * torch.randn(5_000, generator=generator)
        if step % 40 == 39:
            scores *= 10.0 ** (step // 40 - 1)  # a checkpoint of another moment


def test_a_warm_window_is_narrow_from_the_second_step_on():
    """The first sight of the scores teaches a place, not a width: else the next steps would sort everything."""
    scores = torch.rand(100_000, generator=torch.Generator().manual_seed(2))
    window = torch.tensor([0, NARROW])
    masked(torch.ones_like(scores), scores, 50_000, window)
    assert window[1] == NARROW


def test_nan_scores_lie_on_top_and_exactly_k_are_kept_on_both_roads():
    """A broken training keeps its shape; its loss, not its mask, is what says so."""
    scores = np.array([1.0, np.nan, 3.0, np.inf, -np.nan, 2.0], np.float32)
    for kept in range(1, 7):
        one, two = compiled(scores, kept, torch.tensor([0, NARROW])), top(torch.from_numpy(scores), kept).numpy()
        assert (one == two).all()
        assert one.sum() == kept
    assert compiled(scores, 3, torch.tensor([0, NARROW])).nonzero()[0].tolist() == [1, 3, 4]


@pytest.mark.parametrize(
    ("density", "size", "kept"),
    [(0.07, 100, 7), (0.1, 10, 1), (0.29, 100, 29), (0.57, 100, 57), (1e-9, 10, 1), (1.0, 7, 7), (0.5, 3, 2)],
)
def test_a_density_is_the_decimal_that_was_written(density, size, kept):
    assert count_kept(density, size) == kept


@pytest.mark.parametrize("density", [0.0, -0.5, 1.5, float("nan"), float("inf"), True])
def test_no_density(density):
    plain = getattr(count_kept, "__wrapped__", count_kept)  # below the shape checker, which refuses a bool by itself
    with pytest.raises(InputError, match="kept fraction"):
        plain(density, 10)


@pytest.mark.parametrize(
    ("weight", "scores", "kept", "sentence"),
    [
        (torch.ones(4).double(), torch.ones(4), 2, "float32"),
        (torch.ones(4), torch.ones(4).bfloat16(), 2, "float32"),
        (torch.ones(3), torch.ones(4), 2, "one score per weight"),
        (torch.ones(4), torch.ones(4), 0, "from 1 to 4"),
        (torch.ones(4), torch.ones(4), 5, "from 1 to 4"),
    ],
)
def test_kernels_see_only_what_they_can_take(weight, scores, kept, sentence):
    with pytest.raises(InputError, match=sentence):
        masked(weight, scores, kept, torch.tensor([0, NARROW]))


def layer(road: str, weight: Tensor, scores: Tensor, kept: int) -> Tensor:
    if road == "compiled":
        return masked(weight, scores, kept, torch.tensor([0, NARROW]))
    return product(weight, scores, top(scores, kept))


@pytest.mark.parametrize("road", ["compiled", "torch"])
def test_the_gradient_is_sign_s_times_w_times_that_of_the_masked_weight(road):
    generator = torch.Generator().manual_seed(3)
    weight = torch.randn(7, 5, generator=generator, requires_grad=True)
    scores = torch.randn(7, 5, generator=generator)
    scores[0, :2] = torch.tensor([0.0, -0.0])
    scores.requires_grad_(True)
    back = torch.randn(7, 5, generator=generator)
    layer(road, weight, scores, 12).backward(back)
    assert weight.grad is None  # the random weights never move
    assert torch.equal(scores.grad, back * weight.detach() * scores.detach().sign())


@pytest.mark.parametrize("road", ["compiled", "torch"])
def test_layouts_do_not_matter(road):
    generator = torch.Generator().manual_seed(4)
    weight, scores = (torch.randn(4, 3, 5, 5, generator=generator) for _ in range(2))
    back = torch.randn(4, 3, 5, 5, generator=generator)

    def run(w: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        s = s.clone(memory_format=torch.preserve_format).requires_grad_(True)
        out = layer(road, w, s, 100)
        out.backward(back)
        return out, s.grad

    plain = run(weight, scores)
    for w in (weight, weight.to(memory_format=torch.channels_last)):
        for s in (scores, scores.to(memory_format=torch.channels_last)):
            assert all(torch.equal(a, b) for a, b in zip(run(w, s), plain, strict=True))


def problem(seed: int) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    weight, scores = torch.randn(6, 20, generator=generator), torch.rand(6, 20, generator=generator) * 2 - 1
    return weight, scores, torch.randn(64, 20, generator=generator), torch.randn(64, 6, generator=generator)


def first_swaps(through_abs: bool) -> list[tuple[float, float]]:
    """The smallest step that swaps one edge for another: (change to first order, change of the loss), per problem."""
    found: list[tuple[float, float]] = []
    for seed in range(60):
        weight, scores, x, y = problem(seed)
        weight = weight * 1e-3  # a swap is then a small step, of which the first order is the change

        def loss(effective: Tensor, x: Tensor = x, y: Tensor = y) -> Tensor:
            return nn.functional.mse_loss(x @ effective.T, y)

        before, leaf = top(scores, 60), scores.clone().requires_grad_(True)
        effective = (weight * before).requires_grad_(True)
        loss(effective).backward()
        loss(masked(weight, leaf, 60, torch.tensor([0, NARROW]))).backward()
        step = leaf.grad * scores.sign() if through_abs else leaf.grad  # straight through |.|, too: the sign is lost
        low, high = 0.0, 1e6
        for _ in range(60):  # down to where the mask just changes
            rate = (low + high) / 2
            low, high = (rate, high) if torch.equal(top(scores - rate * step, 60), before) else (low, rate)
        after = top(scores - high * step, 60)
        if (after & ~before).sum() == 1:
            first = (effective.grad * weight * (after.float() - before.float())).sum()
            with torch.no_grad():
                found.append((float(first), float(loss(weight * after) - loss(weight * before))))
    return found


def test_an_edge_that_replaces_another_lowers_the_loss():
    """Ramanujan et al., section 3.4: if (i, v) replaces (j, v), the mini-batch loss decreases, for small steps."""
    swaps = first_swaps(through_abs=False)
    assert len(swaps) > 30
    assert all(first < 0 and change < 0 for first, change in swaps)


def test_straight_through_the_absolute_value_would_not():
    """Without sign(s), scores below 0 are pushed the wrong way: about half of the swaps raise the loss."""
    swaps = first_swaps(through_abs=True)
    assert 0.2 < np.mean([change > 0 for _, change in swaps]) < 0.8


def test_the_score_gradient_is_the_slope_along_every_edge_kept_or_pruned():
    """∂L/∂|s| = ∂L/∂M: the slope of the loss along the entries of the mask, here by central differences in float64."""
    weight, scores, x, y = problem(9)
    leaf, mask = scores.clone().requires_grad_(True), top(scores, 60).double()
    nn.functional.mse_loss(x @ masked(weight, leaf, 60, torch.tensor([0, NARROW])).T, y).backward()
    towards = (leaf.grad * scores.sign()).flatten()

    def loss(moved: Tensor) -> Tensor:
        return nn.functional.mse_loss(x.double() @ (weight.double() * moved).T, y.double())

    for edge in range(0, 120, 7):
        unit = torch.zeros(120, dtype=torch.float64)
        unit[edge] = 1e-4
        slope = (loss(mask + unit.view(6, 20)) - loss(mask - unit.view(6, 20))) / 2e-4
        assert float(towards[edge]) == pytest.approx(float(slope), rel=1e-3, abs=1e-6)


def test_the_operators_keep_the_rules_of_custom_operators():
    generator = torch.Generator().manual_seed(5)
    weight = torch.randn(6, 4, generator=generator)
    scores = torch.randn(6, 4, generator=generator, requires_grad=True)
    torch.library.opcheck(selection._keep_top, (weight, scores, 9, torch.tensor([0, NARROW])))
    torch.library.opcheck(selection._to_scores, (weight, weight, scores.detach()))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        weight, scores, *_ = problem(6)
        self.register_buffer("weight", weight)
        self.scores = nn.Parameter(scores)
        self.register_buffer("window", torch.tensor([0, NARROW]))

    def forward(self, x: Tensor) -> Tensor:
        return (x @ masked(self.weight, self.scores, 60, self.window).T).relu()


def test_a_compiled_model_gives_the_same_values_and_gradients():
    plain, other, x = Net(), Net(), problem(6)[2]
    compiled_net = torch.compile(other, backend="aot_eager", fullgraph=True)
    for _ in range(2):
        one, two = plain(x), compiled_net(x)
        assert torch.equal(one, two)
        for net, out in ((plain, one), (other, two)):
            net.scores.grad = None
            out.square().mean().backward()
        assert torch.allclose(plain.scores.grad, other.scores.grad, rtol=1e-6, atol=0)
        assert torch.equal(plain.window, other.window)


def test_autocast_multiplies_in_bfloat16_but_selects_and_learns_in_float32():
    net, x = Net(), problem(6)[2]
    with torch.autocast("cpu", torch.bfloat16):
        out = net(x)
    assert out.dtype == torch.bfloat16
    out.float().square().mean().backward()
    assert net.scores.grad.dtype == torch.float32
    exact = net(x).detach()
    assert torch.allclose(out.float(), exact, rtol=0.05, atol=0.05 * float(exact.abs().max()))


def test_shapes_flow_without_values():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with torch.device("meta"):
        net = Net().to("meta")
    assert net(torch.empty(64, 20, device="meta")).shape == (64, 6)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        fake = [mode.from_tensor(part) for part in (*problem(6)[:2], torch.tensor([0, NARROW]))]
        assert masked(fake[0], fake[1], 60, fake[2]).shape == (6, 20)
