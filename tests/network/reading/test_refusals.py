"""What cannot be read is refused in one sentence that says where it is and what would work."""

import re

import pytest
import torch
import torch.nn.functional as F
from references.zoo import Does
from torch import nn

from slth import InputError
from slth.network import read_target


def does(forward, **parts):
    """A module with one linear layer to keep it a network."""
    return Does(forward, fc=nn.Linear(4, 4), **parts)


class Counts(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return self.fc(x)


class Two(nn.Module):
    def forward(self, image, mask, scale=1):
        return image * mask


def quantised():
    return torch.ao.nn.quantized.dynamic.Linear(4, 4)


def with_weight(weight):
    model = nn.Linear(4, 4)
    model.weight = nn.Parameter(weight, requires_grad=False)
    return nn.Sequential(model)


def with_statistic(name, number):
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)).eval()
    getattr(model[1], name)[2] = number
    return model


UNREADABLE = [
    # ops and modules
    (lambda: does(lambda s, x: s.fc(x) / s.fc(x).norm(dim=-1, keepdim=True)), (4,),
    "norm is normalisation by the input's own size as no layer of PyTorch does it, which cannot be read; LayerNorm"),
    (lambda: does(lambda s, x: s.fc(x) / (s.fc(x).std(-1, keepdim=True) + 1)), (4,),
    "(std|var) is normalisation by the input's own size"),
    (lambda: does(lambda s, x: torch.exp(s.fc(x))), (4,), r"the model \(Does\): exp is a function for which no rule"),
    (lambda: does(lambda s, x: s.fc(x).sort(-1).values), (4,), "sort compares, orders or rounds values"),
    (lambda: nn.Sequential(nn.Linear(4, 4), nn.Hardshrink()), (4,), r"1 \(Hardshrink\): le compares, orders or rounds"),
    (lambda: nn.Sequential(nn.Linear(4, 4), nn.Threshold(0.1, 20)), (4,),
    r"1 \(Threshold\): threshold jumps from 20 to"),
    (lambda: does(lambda s, x: s.fc(s.l(x)[0][:, -1]), l=nn.LSTM(4, 4, batch_first=True)), (3, 4),
    r"l \(LSTM\): lstm is a recurrent layer, which cannot be read"),
    (lambda: nn.LSTM(4, 4, batch_first=True), (3, 4), "lstm is a recurrent layer, which cannot be read"),
    (lambda: does(lambda s, x: s.b(s.fc(x), x), b=nn.Bilinear(4, 4, 2)), (4,), "bilinear is no op that can be read"),
    (lambda: nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(12, 2)), (3,), "takes indices of an embedding"),
    (lambda: nn.Sequential(nn.Linear(4, 4), nn.Softplus(threshold=2)), (4,), "jumps at its threshold 2"),
    (lambda: does(lambda s, x: s.fc(x) / x), (4,), "div divides by a value of the network"),
    (lambda: does(lambda s, x: s.fc(x) ** 0.5), (4,), "pow has the exponent 0.5"),
    (lambda: does(lambda s, x: s.fc(x) / 0), (4,), "div divides by 0"),
    (lambda: does(lambda s, x: s.fc(x) * float("inf")), (4,), "infinity or NaN"),
    (lambda: does(lambda s, x: s.fc(x) @ x.transpose(0, 1)), (4,), "a batch must stay apart"),
    (lambda: does(lambda s, x: F.linear(x, s.fc(x)[0])), (4,), "a batch must stay apart"),
    (lambda: does(lambda s, x: F.conv1d(x, s.fc(x).mean(0, keepdim=True))), (4, 4), "gives values of shape"),
    (lambda: does(lambda s, x: s.fc(x)[:, x[0].argsort()]), (4,), "a batch must stay apart"),
    (lambda: does(lambda s, x: s.fc(x).int().float()), (4,), "rounds to torch.int32"),
    (lambda: does(lambda s, x: F.pad(s.fc(x), (1, 1), value=float("-inf"))), (4,), "only a max pool can read"),
    (lambda: does(lambda s, x: F.max_pool1d(s.fc(x), 2, return_indices=True)[1].float()), (4, 4), "asked for indices"),
    (lambda: does(lambda s, x: F.adaptive_max_pool1d(s.fc(F.pad(x, (0, 96))[..., :4]).repeat(1, 1, 50), 150)), (1, 4),
    "150 bins"),
    (lambda: does(lambda s, x: torch.einsum("bi,bi,bi->b", s.fc(x), x, x)), (4,), "einsum 'bi,bi,bi->b' is not"),
    (lambda: does(lambda s, x: torch.einsum("bij->ji", s.fc(x))), (4, 4), "a batch must stay apart"),
    # random numbers
    (lambda: does(lambda s, x: F.dropout(s.fc(x), training=True)), (4,), "stays active in evaluation mode"),
    (lambda: does(lambda s, x: s.fc(x) + torch.rand_like(x)), (4,), "rand_like draws random numbers"),
    (lambda: does(lambda s, x: s.fc(x) + torch.randn(4)), (4,), "randn draws random numbers"),
    # normalisation by the batch
    (lambda: nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4, track_running_stats=False)), (4,),
    "no running statistics"),
    # the batch
    (lambda: does(lambda s, x: s.fc(x) - x.mean(0)), (4,), r"mean gives values of shape \(4\); the examples"),
    (lambda: does(lambda s, x: s.fc(x).softmax(0)), (4,), "softmax acts along the batch"),
    (lambda: does(lambda s, x: s.fc(x).flip(0)), (4,), "flip acts along the batch"),
    (lambda: does(lambda s, x: s.fc(x).flatten()), (4,), r"flatten gives values of shape \(4\*batch\)"),
    (lambda: does(lambda s, x: s.fc(x.transpose(0, 1))), (4, 4), r"transpose gives values of shape \(4, batch, 4\)"),
    (lambda: does(lambda s, x: s.fc(x.view(-1, 4))), (3, 4), r"view gives values of shape \(3\*batch, 4\)"),
    (lambda: does(lambda s, x: torch.cat([s.fc(x), x])), (4,), r"cat gives values of shape \(2\*batch, 4\)"),
    (lambda: does(lambda s, x: s.fc(x) * x.shape[0]), (4,), "reads the size of the batch"),
    (lambda: does(lambda s, x: s.fc(x) * (2 if x.shape[0] > 3 else 1)), (4,), "depends on the size of the batch"),
    (lambda: does(lambda s, x: F.conv1d(s.fc(x), torch.ones(2, 4, 1)[:, :1].repeat(1, 4, 1))), (4,), "cannot"),
    (lambda: nn.Sequential(nn.Flatten(0), nn.Linear(8, 2)), (4,), "fixes the size of the batch|cannot run"),
    (lambda: does(lambda s, x: s.fc(x.view(len(x), -1))), (2, 2), r"fixes the size of the batch, as len\(x\) does"),
    (lambda: does(lambda s, x: torch.stack([s.fc(row) for row in x])), (4,), "fixes the size of the batch"),
    # data decides
    (lambda: does(lambda s, x: s.fc(x) if x.sum() > 0 else x), (4,), "control flow depends on the data"),
    (lambda: does(lambda s, x: s.fc(x) * x.mean().item()), (4,), "turns a value into a number|a batch must stay apart"),
    # state
    (Counts, (4,), "changes its own buffer calls"),
    (lambda: does(lambda s, x: F.linear(x, s.fc.weight.detach().relu_())), (4,), r"its own parameter fc\.weight"),
    (lambda: nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, 4)), (4,),
    r"overwrites its input.*x = x\.clone\(\) first"),
    (lambda: does(lambda s, x: s.fc(x.mul_(2))), (4,), "overwrites its input"),
    # inputs and outputs
    (Two, (4,), r"takes 2 inputs \(image, mask\)"),
    (lambda: does(lambda s, x: [s.fc(x), x]), (4,), "gives 2 outputs.*wrap it in a module that returns one of them"),
    (lambda: does(lambda s, x: {"a": s.fc(x), "b": x}), (4,), "gives 2 outputs"),
    (lambda: does(lambda s, x: s.fc(x).argmax(1)), (4,), "output is torch.int64"),
    (lambda: does(lambda s, x: s.fc.weight * 2), (4,), "output is a constant"),
    (lambda: does(lambda s, x: torch.relu(x)), (4,), "no linear map"),
    (lambda: nn.Identity(), (4,), "no linear map"),
    (lambda: nn.Sequential(), (4,), "no linear map"),
    (lambda: nn.Conv2d(3, 4, 3), (3, 2, 2), r"cannot run on inputs of shape \(3, 2, 2\)"),
    (lambda: nn.Linear(4, 4), (5,), r"cannot run on inputs of shape \(5,\).*give input_shape="),
    (lambda: nn.Linear(4, 4), (), "expected input_shape="),
    (lambda: nn.Linear(4, 4), (0,), "expected input_shape="),
    (lambda: nn.Conv2d(1, 1, 1), (1, 10**6, 10**6), "holds 1,000,000,000,000 numbers; at most 268,435,456 are read"),
    (lambda: nn.Conv2d(3, 4, 3), None, r"does not follow from its first layer \(Conv2d\); give input_shape="),
    (lambda: does(lambda s, x: s.fc(x)), None, r"does not follow from its first layer \(Does\)"),
    (lambda: nn.Sequential(), None, "does not follow from the model's first layer"),
    # numbers
    (lambda: nn.Sequential(nn.LazyLinear(3)), (4,), r"0\.weight does not know its shape yet: its layer is lazy"),
    (lambda: nn.Linear(4, 4, device="meta"), (4,), "weight holds no numbers"),
    (lambda: with_weight(torch.randn(4, 4, dtype=torch.complex64)), (4,), r"0\.weight is complex"),
    (lambda: with_weight(torch.eye(4).to_sparse()), (4,), r"0\.weight is sparse"),
    (lambda: with_weight(torch.full((4, 4), torch.nan)), (4,), r"0\.weight holds nan at \(0, 0\)"),
    (lambda: with_weight(torch.full((4, 4), torch.inf)), (4,), r"0\.weight holds inf at \(0, 0\)"),
    (lambda: with_statistic("running_var", -1.0), (4,),
    r"1 \(BatchNorm1d\): batch_norm has a variance that is not positive"),
    (lambda: with_statistic("running_var", torch.nan), (4,), r"batch_norm has a variance that is not positive"),
    (lambda: with_statistic("running_mean", torch.inf), (4,), r"batch_norm meets a constant that holds infinity"),
    (lambda: with_weight(torch.zeros(0, 4)), (4,), r"0\.weight has shape \(0, 4\), which holds nothing"),
    (quantised, (4,), r"the model is quantised \(Linear\)"),
    (lambda: nn.Sequential(torch.ao.quantization.FakeQuantize(), nn.Linear(4, 4)), (4,),
    r"0 rounds values as a quantised model would \(FakeQuantize\)"),
    (lambda: torch.jit.script(nn.Linear(4, 4)), (4,), "the model is a ScriptModule"),
    (lambda: nn.Sequential(torch.jit.trace(nn.Linear(4, 4), torch.zeros(1, 4))), (4,), "0 is a ScriptModule"),
    (lambda: torch.export.export(nn.Linear(4, 4), (torch.zeros(2, 4),)).module(), (4,), "is an exported program"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("build", "shape", "sentence"), UNREADABLE, ids=lambda value: str(value)[:50] if isinstance(value, str) else ""
)
def test_a_module_that_cannot_be_read_is_refused_in_one_sentence(build, shape, sentence):
    with pytest.raises(InputError) as error:
        read_target(build(), input_shape=shape)
    text = str(error.value)
    assert re.search(sentence, text), text
    assert "\n" not in text
    assert text.isprintable()


@pytest.mark.parametrize(
    "example",
    [torch.zeros(2, 4, dtype=torch.bool), torch.zeros(()), torch.zeros(0, 4)],
    ids=["bool", "number", "none"],
)
def test_an_example_is_a_batch_of_numbers_or_one_input(example):
    with pytest.raises(InputError, match="expected an example of shape"):
        read_target(nn.Linear(4, 2), example=example)


def test_an_example_of_whole_numbers_holds_tokens_which_a_layer_of_numbers_does_not_take():
    with pytest.raises(InputError, match="cannot run on whole numbers, which an example holds as tokens"):
        read_target(nn.Linear(4, 2), example=torch.zeros(2, 4, dtype=torch.int64))
    assert read_target(nn.Linear(4, 2), example=torch.zeros(4)).input_shape == (4,)


def test_what_is_no_network_is_refused():
    for source in (3, None, object(), nn.Linear):
        with pytest.raises(InputError, match=r"a target is an nn\.Module, a path"):
            read_target(source)


def test_names_of_modules_reach_no_terminal():
    model = nn.Sequential()
    model.add_module("fc\x1b[31m", nn.Linear(4, 4))
    model.add_module("norm\x07", nn.Hardshrink())
    with pytest.raises(InputError) as error:
        read_target(model)
    assert r"norm\x07" in str(error.value)
    assert str(error.value).isprintable()


def test_a_refusal_says_what_can_be_read_by_itself():
    """The largest modules with a linear map and nothing that cannot be read, also behind what cannot."""
    body = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    model = nn.Sequential(body, nn.Hardshrink(), nn.Sequential(nn.Flatten(), nn.Linear(8, 2)), nn.Tanh())
    with pytest.raises(InputError) as error:
        read_target(model, input_shape=(1, 4, 4))
    text = str(error.value)
    assert text.startswith("1 (Hardshrink): le compares, orders or rounds")
    assert text.endswith(
        "what can be read by itself: 0, 2 (pass model.get_submodule('0')); slth.search learns a mask for any model as "
        "it is"
    )
    assert list(read_target(model.get_submodule("0"), input_shape=(1, 4, 4)).graph.maps) == ["0"]


def test_where_nothing_can_be_read_by_itself_a_mask_can_be_learned():
    with pytest.raises(InputError, match=r"arithmetic with constants are; slth\.search learns a mask"):
        read_target(does(lambda s, x: F.bilinear(x, x, s.fc.weight[None])), input_shape=(4,))


def test_a_branch_on_data_is_shown_with_its_line():
    class Inner(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x):
            if x.sum() > 0:
                return self.fc(x)
            return x

    with pytest.raises(InputError, match=r"0 \(Inner\), line \d+ of test_refusals\.py, `if x\.sum\(\) > 0:`"):
        read_target(nn.Sequential(Inner(), nn.Linear(4, 2)), input_shape=(4,))


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Linear(4, 4), nn.Hardshrink(), nn.Dropout()),  # refused while it is walked
        does(lambda s, x: s.fc(x) if x.sum() > 0 else x),  # while it is exported
        does(lambda s, x: s.fc(x) if torch.compiler.is_exporting() else 2 * s.fc(x)),  # while it is compared
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)),  # while it runs
    ],
)
def test_a_refused_module_stays_in_training_mode(model):
    model.train()
    list(model.modules())[-1].eval()
    flags = [part.training for part in model.modules()]
    state = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(InputError):
        read_target(model, input_shape=(4,))
    assert [part.training for part in model.modules()] == flags
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
