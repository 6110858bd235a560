"""Architectures with a name, small."""

import torch
import torch.nn.functional as F
from references.zoo_tools import Does, conv_bn, entry
from torch import nn

from slth.network import build_architecture


@entry(784)
def mlp():
    return nn.Sequential(nn.Linear(784, 16), nn.ReLU(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 10))


@entry(1, 28, 28)
def mlp_on_images():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 10))


@entry(12)
def mlp_with_batch_norm():
    return nn.Sequential(
        nn.Linear(12, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 6), nn.BatchNorm1d(6), nn.Linear(6, 3)
    )


@entry(12)
def mlp_that_ends_in_softmax():
    return nn.Sequential(nn.BatchNorm1d(12), nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 4), nn.Softmax(dim=1))


@entry(1, 28, 28)
def lenet():
    return build_architecture("lenet_5", {"inputs": [1, 28, 28], "classes": 10})


@entry(3, 16, 16)
def conv_4():
    return build_architecture("conv_4", {"inputs": [3, 16, 16], "classes": 10, "width": 0.1})


@entry(3, 16, 16)
def conv_6():
    return build_architecture("conv_6", {"inputs": [3, 16, 16], "classes": 10, "width": 0.1})


@entry(3, 16, 16)
def conv_2():
    return build_architecture("conv_2", {"inputs": [3, 16, 16], "classes": 10, "width": 0.1})


@entry(3, 16, 16)
def resnet_20():
    return build_architecture("resnet_20", {"inputs": [3, 16, 16], "classes": 10, "width": 0.5})


@entry(3, 16, 16)
def resnet_18():
    return build_architecture("resnet_18", {"inputs": [3, 16, 16], "classes": 10, "width": 0.1})


@entry(3, 32, 32)
def vgg():
    layers, inp = [], 3
    for out in (8, "M", 12, "M", 16, 16, "M"):
        layers += (
            [nn.MaxPool2d(2, 2)]
            if out == "M"
            else [nn.Conv2d(inp, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU(True)]
        )
        inp = inp if out == "M" else out
    return nn.Sequential(
        nn.Sequential(*layers), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 20), nn.ReLU(True), nn.Dropout(),
        nn.Linear(20, 10),
    )  # fmt: skip


class Basic(nn.Module):
    """A residual block; `shortcut` is None, "conv" or "pad" (option A)."""

    def __init__(self, inp, out, stride, shortcut):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inp, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.kind, self.stride, self.extra = shortcut, stride, out - inp
        self.shortcut = conv_bn(inp, out, 1, stride=stride, act=False) if shortcut == "conv" else None

    def forward(self, x):
        identity = x
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        if self.kind == "conv":
            identity = self.shortcut(x)
        elif self.kind == "pad":
            low = self.extra // 2
            identity = F.pad(
                x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, low, self.extra - low), "constant", 0
            )
        y += identity
        return self.relu(y)


def resnet(shortcut):
    return nn.Sequential(
        conv_bn(3, 6), Basic(6, 6, 1, None), Basic(6, 10, 2, shortcut), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(1),
        nn.Linear(10, 5),
    )  # fmt: skip


@entry(3, 12, 12)
def resnet_conv_shortcut():
    return resnet("conv")


@entry(3, 12, 12)
def resnet_option_a():
    return resnet("pad")


@entry(3, 12, 12)
def pre_activation():
    class Block(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.bn1, self.conv1 = nn.BatchNorm2d(width), nn.Conv2d(width, width, 3, padding=1, bias=False)
            self.bn2, self.conv2 = nn.BatchNorm2d(width), nn.Conv2d(width, width, 3, padding=1, bias=False)

        def forward(self, x):
            y = self.conv1(F.relu(self.bn1(x)))
            return x + self.conv2(F.relu(self.bn2(y)))

    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), Block(6), Block(6), nn.BatchNorm2d(6), nn.ReLU(), nn.AvgPool2d(4), nn.Flatten(),
        nn.Linear(54, 4),
    )  # fmt: skip


@entry(3, 16, 16)
def bottleneck():
    class Block(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.body = nn.Sequential(conv_bn(width, 4, 1), conv_bn(4, 4, 3), conv_bn(4, width, 1, act=False))

        def forward(self, x):
            return torch.relu(x + self.body(x))

    return nn.Sequential(
        conv_bn(3, 8, 7, stride=2), nn.MaxPool2d(3, 2, 1), Block(8), Block(8), Does(lambda s, x: x.mean((2, 3))),
        nn.Linear(8, 4),
    )  # fmt: skip


@entry(3, 16, 16)
def mobilenet_v1():
    def separable(inp, out, stride):
        return nn.Sequential(conv_bn(inp, inp, 3, stride=stride, groups=inp), conv_bn(inp, out, 1))

    return nn.Sequential(
        conv_bn(3, 8, 3, stride=2), separable(8, 12, 1), separable(12, 16, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(16, 4),
    )  # fmt: skip


class Inverted(nn.Module):
    """MobileNet V2's block: wide inside, linear at its ends."""

    def __init__(self, inp, out, stride, expand):
        super().__init__()
        hidden = inp * expand
        self.same = stride == 1 and inp == out
        self.conv = nn.Sequential(
            nn.Conv2d(inp, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False), nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, out, 1, bias=False), nn.BatchNorm2d(out),
        )  # fmt: skip

    def forward(self, x):
        return x + self.conv(x) if self.same else self.conv(x)


@entry(3, 16, 16)
def mobilenet_v2():
    return nn.Sequential(
        conv_bn(3, 6, 3, stride=2), Inverted(6, 6, 1, 3), Inverted(6, 8, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Dropout(0.2), nn.Linear(8, 4),
    )  # fmt: skip


@entry(3, 12, 12)
def squeeze_and_excitation():
    class Squeeze(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.pool, self.fc1, self.fc2 = nn.AdaptiveAvgPool2d(1), nn.Linear(width, 3), nn.Linear(3, width)

        def forward(self, x):
            b, c, _, _ = x.size()
            y = self.pool(x).view(b, c)
            return x * torch.sigmoid(self.fc2(F.relu(self.fc1(y)))).view(b, c, 1, 1).expand_as(x)

    return nn.Sequential(conv_bn(3, 6), Squeeze(6), conv_bn(6, 4), nn.Flatten(), nn.Linear(4 * 144, 3))


@entry(3, 12, 12)
def squeeze_with_convolutions():
    def gate(s, x):
        return x * F.hardsigmoid(s.up(F.silu(s.down(F.adaptive_avg_pool2d(x, 1)))))

    return nn.Sequential(
        nn.Conv2d(3, 6, 3, 2, 1), nn.Hardswish(), Does(gate, down=nn.Conv2d(6, 2, 1), up=nn.Conv2d(2, 6, 1)),
        nn.Conv2d(6, 4, 1), nn.Flatten(),
    )  # fmt: skip


@entry(3, 12, 12)
def densenet():
    class Layer(nn.Module):
        def __init__(self, inp, growth):
            super().__init__()
            self.norm1, self.conv1 = nn.BatchNorm2d(inp), nn.Conv2d(inp, 2 * growth, 1, bias=False)
            self.norm2, self.conv2 = nn.BatchNorm2d(2 * growth), nn.Conv2d(2 * growth, growth, 3, padding=1, bias=False)

        def forward(self, features):
            x = torch.cat(features, 1) if isinstance(features, list) else features
            return self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))

    def block(s, x):
        features = [x]
        for layer in s.layers:
            features.append(layer(features))
        return torch.cat(features, 1)

    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), Does(block, layers=nn.ModuleList([Layer(4, 3), Layer(7, 3), Layer(10, 3)])),
        nn.BatchNorm2d(13), nn.ReLU(), nn.Conv2d(13, 6, 1, bias=False), nn.AvgPool2d(2, 2), nn.Flatten(),
        nn.Linear(216, 3),
    )  # fmt: skip


@entry(1, 16, 16)
def unet_transposed():
    def forward(s, x):
        a = s.down1(x)
        b = s.down2(F.max_pool2d(a, 2))
        c = s.middle(F.max_pool2d(b, 2))
        y = s.conv2(torch.cat([s.up2(c), b], dim=1))
        return s.out(s.conv1(torch.cat([s.up1(y), a], dim=1)))

    return Does(
        forward, down1=conv_bn(1, 4), down2=conv_bn(4, 6), middle=conv_bn(6, 8), up2=nn.ConvTranspose2d(8, 6, 2, 2),
        conv2=conv_bn(12, 6), up1=nn.ConvTranspose2d(6, 4, 4, 2, 1), conv1=conv_bn(8, 4), out=nn.Conv2d(4, 2, 1),
    )  # fmt: skip


@entry(1, 15, 13)
def unet_upsampling():
    def forward(s, x):
        a = s.down1(x)
        b = s.down2(F.max_pool2d(a, 2))
        y = F.interpolate(b, size=a.shape[-2:], mode="bilinear", align_corners=True)
        z = F.interpolate(F.avg_pool2d(y, 2), scale_factor=2)
        return s.out(torch.cat([y, a, F.pad(z, (0, a.shape[-1] - z.shape[-1], 0, a.shape[-2] - z.shape[-2]))], 1))

    return Does(forward, down1=conv_bn(1, 4), down2=conv_bn(4, 4), out=nn.Conv2d(12, 2, 3, padding=1))


@entry(3, 12, 12)
def inception():
    def forward(s, x):
        pooled = s.branch4(F.max_pool2d(x, 3, stride=1, padding=1))
        averaged = s.branch5(F.avg_pool2d(x, 3, stride=1, padding=1))
        return torch.cat([s.branch1(x), s.branch2(x), s.branch3(x), pooled, averaged], 1)

    block = Does(
        forward, branch1=conv_bn(4, 2, 1), branch2=nn.Sequential(conv_bn(4, 3, 1), conv_bn(3, 4, 3)),
        branch3=nn.Sequential(conv_bn(4, 2, 1), conv_bn(2, 3, (1, 5)), conv_bn(3, 3, (5, 1))),
        branch4=conv_bn(4, 2, 1), branch5=conv_bn(4, 2, 1),
    )  # fmt: skip
    return nn.Sequential(conv_bn(3, 4), block, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(13, 4))


@entry(1, 160)
def audio():
    return nn.Sequential(
        nn.Conv1d(1, 6, 9, stride=4, padding=4), nn.BatchNorm1d(6), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(6, 8, 3, padding="same", dilation=2), nn.ReLU(), nn.BatchNorm1d(8),
        nn.Conv1d(8, 8, 3, padding=1, groups=4),
        nn.GLU(dim=1), nn.AdaptiveMaxPool1d(5), nn.Flatten(), nn.Linear(20, 4), nn.LogSoftmax(dim=-1),
    )  # fmt: skip


@entry(1, 6, 8, 8)
def volumes():
    return nn.Sequential(
        nn.Conv3d(1, 4, 3, padding=(0, 1, 1)), nn.BatchNorm3d(4), nn.ReLU(), nn.MaxPool3d((1, 2, 2)),
        nn.Conv3d(4, 4, (2, 3, 3)),
        nn.ELU(), nn.ConvTranspose3d(4, 2, 2, 2), nn.AdaptiveAvgPool3d((2, 3, 1)), nn.Flatten(), nn.Linear(12, 3),
    )  # fmt: skip


@entry(3, 16, 16)
def dilated_segmentation():
    def forward(s, x):
        y = s.stem(x)
        parts = [branch(y) for branch in s.branches]
        parts.append(s.image(y.mean((2, 3), keepdim=True)).expand(-1, -1, *y.shape[-2:]))
        return F.interpolate(s.out(torch.cat(parts, 1)), x.shape[-2:], mode="bilinear", align_corners=False)

    branches = nn.ModuleList(nn.Conv2d(6, 3, 3, padding=d, dilation=d) for d in (1, 2, 4))
    return Does(
        forward, stem=conv_bn(3, 6, stride=2), branches=branches, image=nn.Conv2d(6, 3, 1), out=nn.Conv2d(12, 2, 1)
    )


@entry(6, 8, 8)
def shuffle():
    def mix(s, x):
        left, right = x.chunk(2, dim=1)
        b, _, h, w = x.shape
        y = torch.cat((left, s.branch(right)), dim=1)
        return y.view(b, 2, 3, h, w).transpose(1, 2).contiguous().view(b, -1, h, w)

    unit = Does(mix, branch=nn.Sequential(conv_bn(3, 3, 1), conv_bn(3, 3, 3, groups=3, act=False)))
    return nn.Sequential(
        nn.Conv2d(6, 6, 1, groups=3), nn.ChannelShuffle(3), unit, nn.Conv2d(6, 4, 3, groups=2), nn.Flatten(),
        nn.Linear(144, 2),
    )  # fmt: skip


@entry(3, 16, 16)
def convnext_like():
    def block(s, x):
        return x + s.gamma * s.up(F.gelu(s.down(s.norm(s.depthwise(x)).permute(0, 2, 3, 1)))).permute(0, 3, 1, 2)

    def head(s, x):
        return s.fc(x.mean([-2, -1]))

    body = Does(
        block, depthwise=nn.Conv2d(6, 6, 7, padding=3, groups=6), norm=nn.BatchNorm2d(6), down=nn.Linear(6, 12),
        up=nn.Linear(12, 6), gamma=nn.Parameter(torch.randn(6, 1, 1)),
    )  # fmt: skip
    return nn.Sequential(nn.Conv2d(3, 6, 4, stride=4), body, Does(head, fc=nn.Linear(6, 3)))
