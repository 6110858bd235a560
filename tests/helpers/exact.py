"""Small networks in every number format that an exact ticket can have."""

import torch
from torch import nn
from torch.nn.utils import prune


class Residual(nn.Module):
    """A convolution without a bias, BatchNorm, a residual, a dense layer; and a buffer that nothing reads."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.again = nn.Conv2d(4, 4, 1, groups=2)
        self.head = nn.Linear(36, 3)
        self.register_buffer("unused", torch.ones(2))

    def forward(self, x):
        x = torch.relu(self.norm(self.conv(x)))
        return self.head((x + self.again(x)).flatten(1))


def residual(dtype=torch.float32, seed=0):
    """Its statistics are those of data."""
    torch.manual_seed(seed)
    model = Residual()
    model(3 * torch.randn(8, 2, 3, 3))
    return model.eval().to(dtype)


def mlp(dtype=torch.float32, *, pruned=False, seed=0):
    """4-6-6-2; half of its first weight pruned, so that some zeros are −0."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 2))
    if pruned:
        prune.l1_unstructured(model[0], "weight", 0.5)
        prune.remove(model[0], "weight")
    return model.to(dtype)


def int8(model, *, zero_points=False):
    """The state of a chain with weights as int8 and a scale for each output."""
    state = {}
    for name, value in model.state_dict().items():
        state[name] = value
        if value.ndim == 2:
            scale = (value.abs().amax(1) / 100).float()
            zero = (
                torch.arange(len(scale), dtype=torch.int8) if zero_points else torch.zeros(len(scale), dtype=torch.int8)
            )
            state[name] = (torch.round(value / scale[:, None]) + zero[:, None]).to(torch.int8)
            state[f"{name}_scale"] = scale
            if zero_points:
                state[f"{name}_zero_point"] = zero
    return state
