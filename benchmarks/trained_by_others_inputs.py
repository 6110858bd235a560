"""Inputs for networks that others trained, as those who trained them prepare them, and what the right answer is.

Tones have a known pitch: a sine, or two to five partials whose amplitudes fall, random phases, noise 40 dB below.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_sample_images
from torch.nn import functional

from slth.data import load

CENTS_OF_BIN_0 = 1997.3794084376191  # above 10 Hz; of 360 bins of 20 cents (Kim, Salamon, Li and Bello, 2018)
LOWEST, HIGHEST = 32.70, 1975.5  # C1 and B6: the range that CREPE was made for


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Inputs of one kind; `predict` says what outputs mean, `right` which predictions are true, where that is known."""

    x: np.ndarray
    predict: Callable[[np.ndarray], np.ndarray]
    right: Callable[[np.ndarray], np.ndarray] | None = None
    labels: np.ndarray | None = None  # for `slth.evaluate`: the largest output, if it is right
    outputs: np.ndarray | None = None  # of the target, where others computed them
    also: Callable[[np.ndarray, np.ndarray], str] | None = None  # what else is said of both outputs

    def first(self, count: int) -> "Examples":
        """So many of them, with what `slth.evaluate` needs."""
        outputs, labels = (None if part is None else part[:count] for part in (self.outputs, self.labels))
        return Examples(self.x[:count], self.predict, labels=labels, outputs=outputs)


def largest(found: np.ndarray) -> np.ndarray:
    return found.argmax(1)


def tones(count: int, *, partials: bool, size: int, rate: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Waves (count, size), and their fundamentals in Hz, uniform in cents."""
    rng = np.random.default_rng(seed)
    pitch = np.exp(rng.uniform(np.log(LOWEST), np.log(HIGHEST), count))
    time = np.arange(size) / rate
    wave = 0.01 * rng.normal(size=(count, size))
    for i in range(count):
        for k in range(1, 1 + (int(rng.integers(2, 6)) if partials else 1)):
            amplitude, phase = rng.uniform(0.5, 1) / k, rng.uniform(0, 2 * np.pi)
            if k * pitch[i] < rate / 2:
                wave[i] += amplitude * np.sin(2 * np.pi * k * pitch[i] * time + phase)
    return wave, pitch


def crepe_tones(count: int) -> dict[str, Examples]:
    """Frames of 1,024 samples at 16 kHz, mean 0 and deviation 1; right: within 50 cents, the raw pitch accuracy."""
    return {
        name: _crepe_tones(count, partials=partials, seed=seed)
        for seed, (name, partials) in enumerate({"sines": False, "partials": True}.items())
    }


def _crepe_tones(count: int, *, partials: bool, seed: int) -> Examples:
    wave, pitch = tones(count, partials=partials, size=1024, rate=16000, seed=seed)
    frames = wave - wave.mean(1, keepdims=True)
    frames /= frames.std(1, ddof=1, keepdims=True)
    cents = 1200 * np.log2(pitch / 10) - CENTS_OF_BIN_0
    nearest = np.rint(cents / 20).astype(np.int64)
    return Examples(
        frames.astype(np.float32), largest, right=lambda bins: np.abs(20 * bins - cents) <= 50, labels=nearest
    )


def pictures(count: int) -> dict[str, Examples]:
    """224 x 224, (pixel − 127) / 128: squares cut from two photographs, CIFAR-10 enlarged, noise. None has a label."""
    rng = np.random.default_rng(0)
    squares = []
    for i in range(count):
        photograph = load_sample_images().images[i % 2]
        side = int(rng.integers(224, min(photograph.shape[:2]) + 1))
        top, left = (int(rng.integers(0, size - side + 1)) for size in photograph.shape[:2])
        squares.append(_enlarged(photograph[top : top + side, left : left + side].transpose(2, 0, 1)))
    kinds = {"photographs": np.stack(squares)}
    if "SLTH_DATA" in os.environ:
        images = load("cifar10", data_dir=os.environ["SLTH_DATA"], train=False).test_x[:count]
        kinds["CIFAR-10"] = np.stack([_enlarged(image) for image in images])
    kinds["noise"] = rng.uniform(0, 255, (count, 3, 224, 224)).astype(np.float32)
    return {name: Examples((x - 127) / np.float32(128), largest, also=five) for name, x in kinds.items()}


def five(theirs: np.ndarray, ours: np.ndarray) -> str:
    """How many sets of the five largest differ, whatever their order."""
    best = [np.sort(np.argsort(found, axis=1)[:, -5:], axis=1) for found in (theirs, ours)]
    return f", of the five largest {int((best[0] != best[1]).any(1).sum())}"


def _enlarged(image: np.ndarray) -> np.ndarray:
    """(3, 224, 224), float32 in [0, 255]; bicubic."""
    found = functional.interpolate(
        torch.from_numpy(image[None].astype(np.float32)), (224, 224), mode="bicubic", antialias=True
    )
    return found[0].clamp(0, 255).numpy()


def basic_pitch_tones(path: Path, *, value: str, output: str, count: int) -> dict[str, Examples]:
    """What the front end of basic-pitch makes of two seconds at 22,050 Hz; right: the nearest semitone of 88."""
    import onnx
    import onnxruntime

    model = onnx.load(path)
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(value))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    kinds: dict[str, Examples] = {}
    for seed, (name, partials) in enumerate({"sines": False, "partials": True}.items()):
        wave, pitch = tones(count, partials=partials, size=43844, rate=22050, seed=seed)
        audio = (0.2 * wave)[..., None].astype(np.float32)
        x, theirs = session.run([value, output], {model.graph.input[0].name: audio})
        key = np.rint(12 * np.log2(pitch / 27.5)).astype(np.int64)
        kinds[name] = Examples(x, _loudest_key, right=lambda found, key=key: found == key, outputs=theirs)
    return kinds


def _loudest_key(found: np.ndarray) -> np.ndarray:
    """The row of 88 that is largest on average over time."""
    return found.mean(1).argmax(1)
