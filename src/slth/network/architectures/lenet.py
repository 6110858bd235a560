"""LeNet-300-100 and LeNet-5, with ReLU and max-pooling as in the pruning literature.

Sources: LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition (Proc. IEEE, 1998),
with tanh-like units, trainable subsampling and a sparse second convolution, all three of them replaced here; the
modern form as in Han, Pool, Tran, Dally, Learning both weights and connections (NeurIPS 2015).
"""

from torch import nn

from slth.network.architectures._sizes import image_shape, scaled
from slth.network.architectures.mlp import mlp


def lenet_300_100(inputs: tuple[int, ...], classes: int, width: float = 1.0, *, bias: bool = True) -> nn.Sequential:
    """An MLP with 300 and 100 hidden units: 266,610 parameters for MNIST, 266,200 of them weights."""
    return mlp(inputs, classes, width, hidden=(300, 100), bias=bias)


def lenet_5(inputs: tuple[int, ...], classes: int, width: float = 1.0, *, bias: bool = True) -> nn.Sequential:
    """6 filters of 5 x 5 (padding 2), pool, 16 of 5 x 5, pool, 120, 84, classes: 61,706 parameters for MNIST.

    Images of at least 12 x 12 pixels. CIFAR-10 (32 x 32, also padded by 2): 83,126 parameters.
    """
    channels, high, wide = image_shape("lenet_5", inputs, least=12)
    first, second, third, fourth = (scaled(size, width) for size in (6, 16, 120, 84))
    places = ((high // 2 - 4) // 2) * ((wide // 2 - 4) // 2)
    return nn.Sequential(
        nn.Conv2d(channels, first, 5, padding=2, bias=bias),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(first, second, 5, bias=bias),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(second * places, third, bias=bias),
        nn.ReLU(),
        nn.Linear(third, fourth, bias=bias),
        nn.ReLU(),
        nn.Linear(fourth, classes, bias=bias),
    )
