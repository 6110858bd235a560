"""The zoo, exported by both exporters of PyTorch, with what they fold and without: the same network comes back.

`read_target` itself compares what it reads with onnxruntime; here it is compared with the module, in float64.
"""

import numpy as np
import pytest
import torch
from helpers.exporters import EXPORTERS, export
from references.zoo import ZOO

from slth import InputError
from slth.graph import evaluate
from slth.network import read_target
from slth.ticket import as_in, network_digest, with_biases

SAMPLE = {
    ("lenet", "dynamo"),
    ("mobilenet_v2", "script, kept"),
    ("resnet_option_a", "script, kept"),
    ("spelled_out_activations", "script"),
    ("audio", "script, kept"),
}
UNEXPORTED = {
    ("volumes", "script"): "adaptive pools with bins of several lengths",
    ("every_pool", "script"): "the same",
    ("shuffle", "script"): "channel_shuffle",
    ("spectral_norm", "script"): "vdot",
    ("every_resampling", "script"): "nearest-exact",
    ("volumes", "dynamo"): "adaptive pools with bins of several lengths",
    ("every_pool", "dynamo"): "the same",
    ("every_activation", "dynamo"): "rrelu",
}  # PyTorch cannot write these
UNREAD = {
    ("every_part", "dynamo, kept"): "the examples of a batch must stay apart",  # an index into all of them
    **{("every_part", how): "cannot run on inputs" for how in ("script", "script, kept")},  # x.squeeze()
}  # squeeze() takes the batch too where it is 1
OTHER = {
    ("vgg", "script"),  # an adaptive pool is written as an average of windows
    ("vgg", "dynamo"),
    ("audio", "dynamo"),  # a pool of one axis as one of two
    ("arithmetic", "script"),  # x + 0.5 y as a product and a sum
    ("arithmetic", "dynamo"),
    ("padded_by_mirrors", "script"),  # slices in another order
    ("padded_by_mirrors", "dynamo"),
    ("every_resampling", "dynamo"),  # parts are taken by other operators
    ("every_part", "dynamo"),  # a scattered slice as padding and a sum
    ("every_activation", "script"),  # RReLU's slope in float32
    ("spelled_out_activations", "script"),  # numbers in float32
    ("spelled_out_activations", "dynamo"),
}  # another graph, whatever is kept: the exporter writes other operators
COMPUTED = {"weight_norm", "old_weight_norm", "spectral_norm"}  # weights that are computed, by another program
CASES = [
    pytest.param(name, how, marks=() if (name, how) in SAMPLE else pytest.mark.slow)
    for name in ZOO
    for how in EXPORTERS
]


@pytest.mark.parametrize(("name", "how"), CASES)
def test_a_file_is_the_network_that_it_was_exported_from(name, how, tmp_path):
    """Outputs to float32 rounding of the numbers in the file; the digest, where the exporter did not fold."""
    exporter, _, kept = how.partition(", ")
    path, (model, shape) = tmp_path / "net.onnx", ZOO[name]()
    if (name, exporter) in UNEXPORTED:
        with pytest.raises(Exception, match=r"\S"):  # whatever the exporter raises
            export(model, shape, how, path)
        return
    export(model, shape, how, path)
    if (name, how) in UNREAD:
        with pytest.raises(InputError, match=UNREAD[name, how]):
            read_target(path)
        return
    target = read_target(path)
    x = np.random.default_rng(0).normal(size=(3, *shape))
    with torch.no_grad():
        expected = model.double()(torch.from_numpy(x)).numpy()
    found = evaluate(target.graph, target.coefficients, x, target.carried)
    assert abs(found - expected).max() <= 2e-5 * abs(expected).max()

    own = read_target(model.float(), input_shape=shape)
    digest = network_digest(own, shape)
    target = with_biases(target, own.graph, digest=digest, shape=shape)  # exporters drop biases of zeros
    same = network_digest(target, shape) == digest
    if kept and (name, exporter) not in OTHER and name not in COMPUTED:
        assert same
    elif not same and (name, exporter) not in OTHER:
        dropped = any(part.bias is not None and not part.bias.any() for part in own.coefficients.values())
        assert dropped or not isinstance(as_in(target, own.graph), str)  # the same graph, other numbers
