"""How networks of the zoo are made: registered by name, with random statistics, as after training."""

import torch
from torch import nn

ZOO = {}


def entry(*shape):
    """Register a builder under its name."""

    def register(build):
        def built():
            torch.manual_seed(len(ZOO) + sum(map(ord, build.__name__)))
            return trained(build()), shape

        ZOO[build.__name__] = built
        return build

    return register


def trained(model):
    """Random statistics and gains, some of them negative."""
    for part in model.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            if part.running_mean is not None:
                part.running_mean.normal_()
                part.running_var.uniform_(0.3, 3)
            if part.weight is not None:
                nn.init.normal_(part.weight)
                nn.init.normal_(part.bias)
    return model.eval()


class Does(nn.Module):
    """A module whose forward is a function of itself and x."""

    def __init__(self, does, **parts):
        super().__init__()
        self.does = does
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.does(self, x)


def conv_bn(inp, out, kernel=3, *, stride=1, act=True, groups=1):
    sides = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    return nn.Sequential(
        nn.Conv2d(inp, out, kernel, stride, [side // 2 for side in sides], groups=groups, bias=False),
        nn.BatchNorm2d(out),
        *([nn.ReLU(inplace=True)] if act else []),
    )
