"""What claims are worth, kind by kind: claimed sup_error / worst found, and how many claims are broken (none may be).

    PYTHONPATH=tests:src python benchmarks/graph_claims.py [--seeds 200] [--tolerance 1e-3]

1. Every network of `tests/references/zoo.py`, random weights, constructed as a ticket on inputs in [0, 1].
2. Random networks of `tests/helpers/graphs.py` whose coefficients are off by noise of 1e-4 to 0.3.
The attack is `network_attack`; it also compares the claims of every output and the claim in ℓ2.
"""

import argparse
import statistics
import time
import warnings
from collections import defaultdict

import numpy as np
import torch
from helpers.graphs import random_case
from network_attack import attack
from references.zoo import ZOO

import slth
from slth.certificate import Certificate, certify
from slth.graph import Linear
from slth.network import read_target
from slth.records import environment

KINDS = {
    "dense": "mlp mlp_on_images mlp_with_batch_norm mlp_that_ends_in_softmax tied_weights every_activation "
    "spelled_out_activations sequences",
    "plain convolutional": "lenet conv_2 conv_4 conv_6 vgg weight_norm old_weight_norm spectral_norm pruned "
    "functional_only asymmetric_padding padded_by_mirrors torchcrepe_like normalises_its_inputs "
    "normalises_before_padding",
    "residual": "resnet_20 resnet_18 resnet_conv_shortcut resnet_option_a pre_activation bottleneck "
    "a_block_called_twice one_convolution_two_norms convnext_like",
    "depthwise": "mobilenet_v1 mobilenet_v2 shuffle",
    "gates (products of values)": "squeeze_and_excitation squeeze_with_convolutions",
    "branches joined": "densenet inception unet_transposed unet_upsampling dilated_segmentation",
    "one and three dimensions": "audio volumes",
    "pools, resampling, transposed": "every_pool every_resampling every_part arithmetic transposed_convolutions",
}


def broken(claims: Certificate, found) -> int:
    """How many claims about the output are smaller than what was found, beyond the rounding of the search."""
    room = 1e-12 * (1 + found.worst)
    pairs = [
        (claims.sup_error, found.worst),
        (claims.l2_error, found.norm),
        *zip(claims.output_error, found.each, strict=True),
    ]
    return sum(truth > claim + room for claim, truth in pairs)


def row(kind: str, ratios: list[float], depths: list[int], bad: int) -> None:
    quartiles = np.quantile(ratios, (0, 0.5, 1))
    spread = " | ".join(f"{value:.3g}" for value in quartiles)
    print(f"| {kind} | {len(ratios)} | {min(depths)} to {max(depths)} | {spread} | {bad} |", flush=True)


def table(title: str, rows: dict[str, list[tuple[float, int, int]]]) -> int:
    print(f"\n| {title} | networks | maps | bound / worst found, least | median | largest | broken claims |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for kind, found in rows.items():
        ratios, depths, bad = (list(part) for part in zip(*found, strict=True))
        row(kind, ratios, depths, sum(bad))
    everything = [one for found in rows.values() for one in found]
    print(f"median of all {statistics.median(one[0] for one in everything):.3g}")
    return sum(one[2] for one in everything)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--tolerance", type=float, default=1e-3)
    parser.add_argument("--only", help="one network of the zoo")
    options = parser.parse_args()
    where, start, spent = environment(torch.get_num_threads()), time.perf_counter(), time.process_time()
    print(f"commit {where.commit}, {where.cpu}, {where.threads} threads, tolerance {options.tolerance:g}\n")
    kinds = {name: kind for kind, names in KINDS.items() for name in names.split()}
    assert set(kinds) == set(ZOO), set(kinds) ^ set(ZOO)
    zoo, drawn = defaultdict(list), defaultdict(list)
    print("| network | maps | misses | claimed | worst found | by | bound / worst found | stops |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in [options.only] if options.only else sorted(kinds, key=lambda name: list(KINDS).index(kinds[name])):
        model, shape = ZOO[name]()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target = read_target(model, input_shape=shape)
        ticket = slth.construct(target, input_range=(0, 1), tolerance=options.tolerance, threads=1)
        claims, depth = ticket.claims, len(target.graph.maps)
        if claims.sup_error is None:
            print(f"| {name} | {depth} | {ticket.misses} | | | | | {', '.join(claims.stops)} |", flush=True)
            continue
        parts = {path: ticket.realised(path) for path in ticket.maps}
        found = attack(target, parts, ticket.inputs.box, steps=100)
        by = max(found.by, key=found.by.get)
        ratio, bad = claims.sup_error / found.worst, broken(claims, found)
        zoo[kinds[name]].append((ratio, depth, bad))
        print(
            f"| {name} | {depth} | {ticket.misses} | {claims.sup_error:.4g} | {found.worst:.4g} | {by} | {ratio:.3g} | "
            + (f"BROKEN {bad} |" if bad else "|"),
            flush=True,
        )
    bad = table("zoo", zoo)
    if options.only:
        return
    for seed in range(options.seeds):
        case = random_case(seed)
        claims = certify(
            case.target, case.realised.__getitem__, tolerances=dict.fromkeys(case.realised, 0.0), box=case.box
        )
        found = attack(case.target, case.realised, case.box, steps=100)
        depth = sum(isinstance(node.op, Linear) for node in case.target.graph.nodes)
        if found.worst == 0:
            continue  # a constant network
        count = broken(claims, found)
        drawn[case.kind].append((claims.sup_error / found.worst, depth, count))
        if count:
            print(f"seed {seed}, {case.kind}: BROKEN {count}, {claims.sup_error} < {found.worst}", flush=True)
    bad += table("random networks", drawn)
    print(
        f"\n{bad} claims broken; {time.perf_counter() - start:.0f} s, {time.process_time() - spent:.0f} s of processor"
    )
    assert not bad


if __name__ == "__main__":
    main()
