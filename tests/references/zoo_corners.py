"""Networks that go everywhere: every activation, pool, resampling and part; weights that are computed, tied, shared."""

import math

import torch
import torch.nn.functional as F
from references.zoo_tools import Does, conv_bn, entry
from torch import nn
from torch.nn.utils import parametrizations, prune


@entry(3, 10, 10)
def normalises_its_inputs():
    def forward(s, x):
        return s.fc(s.conv((x - s.mean) / s.std).relu().flatten(1))

    model = Does(forward, conv=nn.Conv2d(3, 4, 3), fc=nn.Linear(256, 3))
    model.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
    model.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)
    return model


@entry(3, 10, 10)
def normalises_before_padding():
    def forward(s, x):
        return s.conv(2 * x - 1).mean((-2, -1))

    return Does(forward, conv=nn.Conv2d(3, 4, 3, padding=1))


@entry(6)
def every_activation():
    def forward(s, x):
        for layer, act in zip(s.layers, s.acts, strict=True):
            x = act(layer(x))
        return s.last(x)

    acts = [
        nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.2), nn.PReLU(), nn.PReLU(6), nn.Hardtanh(-2, 1.5), nn.Tanh(),
        nn.Sigmoid(),
        nn.SiLU(), nn.Hardswish(), nn.Hardsigmoid(), nn.ELU(0.7), nn.SELU(), nn.CELU(1.3), nn.Softplus(),
        nn.Softplus(2.0),
        nn.LogSigmoid(), nn.Mish(), nn.Softsign(), nn.GELU(), nn.GELU("tanh"), nn.Tanhshrink(), nn.RReLU(),
        nn.Softmin(1),
    ]  # fmt: skip
    return Does(
        forward, layers=nn.ModuleList(nn.Linear(6, 6) for _ in acts), acts=nn.ModuleList(acts), last=nn.Linear(6, 2)
    )


@entry(8)
def spelled_out_activations():
    acts = [
        lambda x: x * torch.sigmoid(x), lambda x: torch.sigmoid(1.702 * x) * x, lambda x: x * F.relu6(x + 3) / 6,
        lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2.0))), lambda x: x * torch.tanh(F.softplus(x)),
        lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * torch.pow(x, 3)))),
        lambda x: torch.where(x > 0, x, 0.1 * x), lambda x: torch.maximum(x, 0.2 * x),
        lambda x: 1 / (1 + torch.exp(-x)),
        lambda x: x.clamp(min=0), lambda x: F.relu6(x + 3) / 6, lambda x: x.abs() + x, lambda x: x / (1 + x.abs()),
        lambda x: torch.clamp(x, -1, 1) ** 2, lambda x: torch.minimum(x, 1 - x), lambda x: F.relu(x) - 0.3 * F.relu(-x),
    ]  # fmt: skip

    def forward(s, x):
        for layer, act in zip(s.layers, acts, strict=True):
            x = act(layer(x))
        return x

    return Does(forward, layers=nn.ModuleList(nn.Linear(8, 8) for _ in acts))


@entry(3, 8, 8)
def weight_norm():
    return nn.Sequential(
        parametrizations.weight_norm(nn.Conv2d(3, 4, 3)), nn.LeakyReLU(0.1), nn.Flatten(),
        parametrizations.weight_norm(nn.Linear(144, 3)),
    )  # fmt: skip


@entry(3, 8, 8)
def old_weight_norm():
    return nn.Sequential(nn.utils.weight_norm(nn.Conv2d(3, 4, 3)), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))


@entry(3, 8, 8)
def spectral_norm():
    return nn.Sequential(
        parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)),
        nn.ReLU(),
        nn.Flatten(),
        nn.utils.spectral_norm(nn.Linear(144, 3)),
    )


@entry(3, 8, 8)
def pruned():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    prune.l1_unstructured(model[0], "weight", 0.5)
    prune.random_structured(model[4], "weight", 0.3, dim=0)
    return model


@entry(8)
def tied_weights():
    first, second = nn.Linear(8, 8), nn.Linear(8, 8)
    second.weight = first.weight
    return Does(lambda s, x: s.second(F.relu(s.first(x))) @ s.first.weight, first=first, second=second)


@entry(4, 8, 8)
def a_block_called_twice():
    block = conv_bn(4, 4)
    return Does(lambda s, x: s.head(s.block(s.block(x) + x).flatten(1)), block=block, head=nn.Linear(256, 2))


@entry(4, 8, 8)
def one_convolution_two_norms():
    def forward(s, x):
        return s.norm2(s.conv(F.relu(s.norm1(s.conv(x)))))

    return Does(forward, conv=nn.Conv2d(4, 4, 3, padding=1), norm1=nn.BatchNorm2d(4), norm2=nn.BatchNorm2d(4))


@entry(1, 14, 14)
def functional_only():
    model = nn.Module()
    model.w1, model.b1 = nn.Parameter(torch.randn(4, 1, 3, 3)), nn.Parameter(torch.randn(4))
    model.w2 = nn.Parameter(torch.randn(144, 3) / 12)

    def forward(s, x):
        return torch.addmm(s.b2, F.max_pool2d(F.relu(F.conv2d(x, s.w1, s.b1)), 2).reshape(-1, 144), s.w2)

    return Does(forward, w1=model.w1, b1=model.b1, w2=model.w2, b2=nn.Parameter(torch.randn(3)))


@entry(2, 9, 11)
def asymmetric_padding():
    return nn.Sequential(
        nn.ZeroPad2d((0, 1, 2, 0)), nn.Conv2d(2, 4, 3, stride=2), nn.ReLU(), nn.Conv2d(4, 4, (4, 2), padding="same"),
        nn.ConstantPad2d((1, 0, 0, 2), 0.5), nn.Conv2d(4, 3, 3), nn.Flatten(),
    )  # fmt: skip


@entry(2, 11, 13)
def every_pool():
    pools = [
        nn.AvgPool2d(3, 2, 1, count_include_pad=False), nn.AvgPool2d(3, 2, 1, ceil_mode=True),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.MaxPool2d(3, 2, 1, dilation=2), nn.AvgPool2d(2, divisor_override=3), nn.AdaptiveAvgPool2d((3, 7)),
        nn.AdaptiveMaxPool2d((4, 5)), nn.AdaptiveMaxPool2d(1), nn.MaxPool2d(3, 3, 1, ceil_mode=True),
    ]  # fmt: skip

    def forward(s, x):
        more = [x.amax((2, 3)), x.amin(-1).flatten(1), x.max(2).values.flatten(1), x.sum((1, 3)), x.mean(1).flatten(1)]
        more.append(F.max_pool2d(F.pad(x, (0, 1, 1, 0), value=-math.inf), 2).flatten(1))
        more.append(F.max_pool2d(F.pad(x, (0, 1, 1, 0)), 2).flatten(1))  # 0 is no −∞
        return s.fc(torch.cat([pool(x).flatten(1) for pool in s.pools] + more, 1))

    model = Does(forward, pools=nn.ModuleList(pools), fc=nn.Identity())
    model.fc = nn.Linear(model(torch.zeros(2, 2, 11, 13)).shape[1], 3)
    return model


@entry(4, 6, 5)
def every_resampling():
    ups = [
        nn.Upsample(scale_factor=2), nn.Upsample(size=(7, 9)), nn.Upsample(scale_factor=1.5, mode="bilinear"),
        nn.Upsample(size=(3, 4), mode="bilinear", align_corners=True), nn.Upsample(size=(7, 9), mode="bicubic"),
        nn.Upsample(scale_factor=(1, 2), mode="nearest-exact"), nn.PixelShuffle(2),
        nn.Upsample(scale_factor=1.7, mode="bilinear", recompute_scale_factor=True), nn.Upsample(scale_factor=1.7),
    ]  # fmt: skip

    def forward(s, x):
        more = [
            x.repeat_interleave(2, 3).flatten(1),
            x.repeat(1, 2, 1, 1).flatten(1),
            F.pixel_unshuffle(x[..., :4], 2).flatten(1),
        ]
        return s.fc(torch.cat([up(x).flatten(1) for up in s.ups] + more, 1))

    model = Does(forward, ups=nn.ModuleList(ups), fc=nn.Identity())
    model.fc = nn.Linear(model(torch.zeros(2, 4, 6, 5)).shape[1], 3)
    return model


@entry(4, 6, 5)
def every_part():
    def forward(s, x):
        a, b = x.split([1, 3], 1)
        written = x.clone()
        written[:, 1:3] = x[:, :2] * 2
        filled = x * 1
        filled[:, 0] = 0
        halves = torch.tensor_split(x, 2, dim=3)
        parts = [
            torch.stack(x.unbind(1)[::2], 1), x[:, [3, 0, 1]], x.flip(2), x.roll(1, 3), x[:, 1], x[..., -2:, 1::2],
            x.narrow(1, 1, 2), b - a, x.transpose(1, 3).squeeze().unsqueeze(1), written, filled, halves[0],
            x[:, ::2, 1:-1],
            torch.cat([x, torch.zeros_like(x[:, :1]), x.new_ones(x.shape[0], 1, 6, 5)], 1), x.index_select(2, s.index),
            F.pad(x, (-1, 2, 0, -1)), F.pad(x, (1, 2, 0, 1), mode="reflect"), F.pad(x, (1, 1, 2, 0), mode="replicate"),
            F.pad(x, (1, 2, 1, 1), mode="circular"), x.unflatten(1, (2, 2)).swapaxes(1, 3), torch.movedim(x, 1, -1),
            x.permute(0, 3, 1, 2).transpose(1, 2),
            x.tile(1, 2, 1, 1),
        ]  # fmt: skip
        return s.fc(torch.cat([part.flatten(1) for part in parts], 1))

    model = Does(forward, fc=nn.Identity(), index=torch.tensor([4, 0, 2]))
    model.fc = nn.Linear(model(torch.zeros(2, 4, 6, 5)).shape[1], 2)
    return model


@entry(4, 6)
def arithmetic():
    def forward(s, x):
        y = 3 - s.a(x) / 2 + torch.addcmul(x, x, s.table, value=0.5) - torch.sub(x, x**3, alpha=0.1)
        y = y * s.table + s.row - torch.rsub(y, 1.0) + x.square().neg() + s.column * x
        return (s.left @ (y @ s.right)) * 0.5

    return Does(
        forward, a=nn.Linear(6, 6), table=nn.Parameter(torch.randn(4, 6)), row=nn.Parameter(torch.randn(6)),
        column=nn.Parameter(torch.randn(4, 1)), left=nn.Parameter(torch.randn(3, 4)),
        right=nn.Parameter(torch.randn(6, 5)),
    )  # fmt: skip


@entry(5, 6)
def sequences():
    """Linear layers on (length, features); BatchNorm over the length cannot go into them."""
    return nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(4, 4), nn.Flatten(), nn.Linear(20, 3))


@entry(3, 9, 9)
def padded_by_mirrors():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), nn.BatchNorm2d(4), nn.ReLU(),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"), nn.Tanh(),
        nn.Conv2d(4, 2, 3, padding=1, padding_mode="replicate"),
        nn.Flatten(),
    )  # fmt: skip


@entry(2, 7, 7)
def transposed_convolutions():
    return nn.Sequential(
        nn.ConvTranspose2d(2, 4, 3, 2, 1, output_padding=1, groups=2), nn.BatchNorm2d(4), nn.ReLU(),
        nn.ConvTranspose2d(4, 3, 4, 3, padding=(2, 1), dilation=2), nn.Sigmoid(),
    )  # fmt: skip


@entry(3, 16, 16)
def torchcrepe_like():
    """Conv, ReLU, BatchNorm: the norm stands behind the activation."""
    return nn.Sequential(
        nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(3, 6, 4, 2), nn.ReLU(), nn.BatchNorm2d(6), nn.MaxPool2d(2),
        nn.Conv2d(6, 4, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(64, 5), nn.Sigmoid(),
    )  # fmt: skip
