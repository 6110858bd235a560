"""Conv-2, Conv-4 and Conv-6: VGG cut down for CIFAR-10, the usual test beds of lottery tickets.

Pairs of 3 x 3 convolutions (padding 1, ReLU) with 64, 128 and 256 filters, a 2 x 2 max-pool after each pair, then
fully connected layers of 256, 256 and the classes. Images need 2, 4 and 8 pixels on each side; odd sides are rounded
down by the pools.

| CIFAR-10 | parameters | weights alone | convolution weights |
| --- | ---: | ---: | ---: |
| conv_2 | 4,301,642 | 4,300,992 | 38,592 |
| conv_4 | 2,425,930 | 2,425,024 | 259,776 |
| conv_6 | 2,262,602 | 2,261,184 | 1,144,512 |

Source: Frankle and Carbin, The Lottery Ticket Hypothesis (ICLR 2019), figure 2 and appendix H. The figure says 4.3M,
2.4M and 1.7M weights; the last does not follow from the layers that the paper describes, which are the ones built here.
"""

from torch import nn

from slth.network.architectures._sizes import image_shape, scaled

_FILTERS = (64, 128, 256)
_DENSE = 256


def conv_2(inputs: tuple[int, ...], classes: int, width: float = 1.0, *, bias: bool = True) -> nn.Sequential:
    """Two convolutions of 64 filters, one pool, three linear layers."""
    return _conv("conv_2", inputs, classes, width, bias, pairs=1)


def conv_4(inputs: tuple[int, ...], classes: int, width: float = 1.0, *, bias: bool = True) -> nn.Sequential:
    """Conv-2 with two convolutions of 128 filters and a pool more."""
    return _conv("conv_4", inputs, classes, width, bias, pairs=2)


def conv_6(inputs: tuple[int, ...], classes: int, width: float = 1.0, *, bias: bool = True) -> nn.Sequential:
    """Conv-4 with two convolutions of 256 filters and a pool more."""
    return _conv("conv_6", inputs, classes, width, bias, pairs=3)


def _conv(name: str, inputs: tuple[int, ...], classes: int, width: float, bias: bool, *, pairs: int) -> nn.Sequential:
    channels, high, wide = image_shape(name, inputs, least=2**pairs)
    parts: list[nn.Module] = []
    for filters in (scaled(size, width) for size in _FILTERS[:pairs]):
        for inp in (channels, filters):
            parts += [nn.Conv2d(inp, filters, 3, padding=1, bias=bias), nn.ReLU()]
        parts.append(nn.MaxPool2d(2))
        channels, high, wide = filters, high // 2, wide // 2
    dense = scaled(_DENSE, width)
    return nn.Sequential(
        *parts,
        nn.Flatten(),
        nn.Linear(channels * high * wide, dense, bias=bias),
        nn.ReLU(),
        nn.Linear(dense, dense, bias=bias),
        nn.ReLU(),
        nn.Linear(dense, classes, bias=bias),
    )
