r"""Residual networks for small images: blocks y = σ(F(x) + S(x)) with F = N(W_2 * σ(N(W_1 * x))), σ = ReLU.

N is batch normalisation with scale and shift; convolutions are 3 x 3 and have no biases, only the last, linear layer
has one. Where a stage halves the image and widens the channels, the shortcut S has to change shape, too:

- `resnet_20` subsamples every second pixel and appends channels of zeros: option A of the paper, which its CIFAR
  networks use. It has no parameters, so there is nothing random in it to prune.
- `resnet_18` takes a 1 x 1 convolution with stride 2, normalised: option B, as its ImageNet original and the
  edge-popup papers do.

Sources: He, Zhang, Ren, Sun, Deep Residual Learning (CVPR 2016), sections 4.1 and 4.2; Ramanujan et al., What's
Hidden in a Randomly Weighted Neural Network? (CVPR 2020) for ResNet-18 on CIFAR-10.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from slth.network.architectures._sizes import image_shape, scaled

Shortcut = Callable[[int, int, int], nn.Module]  # channels in, channels out, stride


def resnet_20(inputs: tuple[int, ...], classes: int, width: float = 1.0) -> nn.Sequential:
    """Three stages of three blocks with 16, 32, 64 channels: 269,722 parameters for CIFAR-10.

    268,336 of them are weights of layers, 1,376 scales and shifts, 10 biases.
    """
    return _resnet("resnet_20", inputs, classes, [scaled(size, width) for size in (16, 32, 64)], 3, ZeroPad)


def resnet_18(inputs: tuple[int, ...], classes: int, width: float = 1.0) -> nn.Sequential:
    """Four stages of two blocks with 64, 128, 256, 512 channels: 11,173,962 parameters for CIFAR-10.

    The stem for small images: one 3 x 3 convolution of stride 1 in place of 7 x 7, stride 2 and a pool. 11,164,352
    weights of layers, 9,600 scales and shifts, 10 biases.
    """
    return _resnet("resnet_18", inputs, classes, [scaled(size, width) for size in (64, 128, 256, 512)], 2, _projection)


class Block(nn.Module):
    """Two convolutions and the shortcut around them."""

    def __init__(self, inp: int, out: int, stride: int, shortcut: nn.Module) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(inp, out, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
        )
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.residual(x) + self.shortcut(x))


class ZeroPad(nn.Module):
    """Every `stride`-th pixel, and zeros for the channels that are new."""

    def __init__(self, inp: int, out: int, stride: int) -> None:
        super().__init__()
        self.new, self.stride = out - inp, stride

    def forward(self, x: Tensor) -> Tensor:
        return functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new))


def _projection(inp: int, out: int, stride: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inp, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out))


def _resnet(
    name: str, inputs: tuple[int, ...], classes: int, widths: Sequence[int], blocks: int, shortcut: Shortcut
) -> nn.Sequential:
    """Modules "0" to "2" are the stem, then come the stages, the mean over all pixels, and the linear layer."""
    channels, _, _ = image_shape(name, inputs)
    stem = [nn.Conv2d(channels, widths[0], 3, padding=1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()]
    stages: list[nn.Module] = []
    for stage, (inp, out) in enumerate(pairwise([widths[0], *widths])):
        stride = 1 if stage == 0 else 2
        entry = nn.Identity() if stage == 0 else shortcut(inp, out, stride)
        others = [Block(out, out, 1, nn.Identity()) for _ in range(blocks - 1)]
        stages.append(nn.Sequential(Block(inp, out, stride, entry), *others))
    return nn.Sequential(*stem, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], classes))
