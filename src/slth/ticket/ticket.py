"""The ticket: a seed, the layout of a random network, one mask bit per random weight, claims and provenance."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

from slth._files import write_atomically
from slth._shapes import Bits
from slth.certificate import Certificate, Realised
from slth.numerics import at_most
from slth.ticket.lift import Lift, scan
from slth.ticket.realise import realise, unpack
from slth.ticket.spec import Domain, LayerSpec, Provenance, TensorSpec


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """A pruned random network, stored as a seed and a bit mask.

    The seed fixes every random weight; the masks say which of the mixing weights stay; two powers of two per layer
    (`gain`, `bias_gain`) are carried. Nothing else of the target is stored. `FORMAT.md` describes the file.
    """

    seed: int
    network: str  # "relu_mlp"
    domain: Domain
    layers: tuple[LayerSpec, ...]
    masks: tuple[Bits, ...]  # packed, one per layer
    heads: tuple[str, ...]  # SHA-256 of the first values of each random tensor
    digests: tuple[str, ...]  # SHA-256 of each layer's realised coefficients
    certificate: Certificate
    provenance: Provenance

    @property
    def widths(self) -> tuple[int, ...]:
        """d_0, ..., d_L of the target."""
        return (self.layers[0].lift.inputs, *(layer.outputs for layer in self.layers))

    @property
    def weights(self) -> int:
        """Parameters of the target, biases included."""
        return sum(layer.weights for layer in self.layers)

    @property
    def source_parameters(self) -> int:
        """Every entry of the random network, dead and off-block ones included."""
        return sum(layer.source_parameters for layer in self.layers)

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        """The random tensors of all layers, in order."""
        return tuple(tensor for layer in self.layers for tensor in layer.tensors)

    @property
    def misses(self) -> int:
        """Coefficients that no subset of their candidates reaches within the tolerance."""
        return sum(claim.misses for claim in self.certificate.layers)

    @property
    def tolerances(self) -> str:
        """The tolerance of the layers' coefficients, for people: one number, or one per layer, rounded up."""
        found = [at_most(claim.tolerance, 3) for claim in self.certificate.layers]
        return found[0] if len(set(found)) == 1 else ", ".join(found)

    @property
    def mask_bits(self) -> int:
        """Stored mask bits."""
        return sum(layer.mask_bits for layer in self.layers)

    def lift(self, index: int) -> Lift:
        """The lift of a layer, scanned again from the seed. The scan must end exactly at the stated width."""
        layer = self.layers[index]
        return scan(layer.lift, self.seed, layer.path, most=layer.neurons)

    def realised(self, index: int) -> Realised:
        """The coefficients a layer realises, regenerated from seed and mask: exact."""
        layer = self.layers[index]
        return realise(layer, self.lift(index), self.seed, unpack(layer, self.masks[index]))

    def save(self, path: str | Path) -> Path:
        """Write the ticket atomically; the same bytes everywhere."""
        from slth.ticket.format import encode

        return write_atomically(path, encode(self))

    def __repr__(self) -> str:
        widths = "-".join(str(width) for width in self.widths)
        return (
            f"Ticket({self.network} {widths}, seed {self.seed}, tolerance {self.tolerances}, "
            f"{self.mask_bits / self.weights:.1f} bits per target weight, {self.misses} misses)"
        )

    def summary(self) -> tuple[tuple[str, str], ...]:
        """What is inside, as (name, value) rows for people."""
        bound = self.certificate.sup_error
        certified = "no input range, no bound" if bound is None else f"{at_most(bound, 4)} on every output"
        lower, upper = self.domain.lower, self.domain.upper
        if lower is None or upper is None:
            inputs = "any real numbers"
        elif len(lower) == 1:
            inputs = f"[{lower[0]:g}, {upper[0]:g}] in every coordinate"
        else:
            inputs = f"a box in {len(lower)} coordinates"
        if self.domain.normalize:
            inputs += " after (x - {:g}) / {:g}".format(*self.domain.normalize)
        candidates = ", ".join(str(layer.lift.candidates) for layer in self.layers)
        return (
            ("network", f"{self.network} {'-'.join(str(width) for width in self.widths)}"),
            ("seed", str(self.seed)),
            ("inputs", inputs),
            ("tolerance per weight", self.tolerances),
            ("candidates per weight", candidates),
            ("target parameters", f"{self.weights:,}"),
            (
                "source parameters",
                f"{self.source_parameters:,} ({self.source_parameters / self.weights:,.0f} x target)",
            ),
            ("mask bits", f"{self.mask_bits:,} ({self.mask_bits / self.weights:.1f} per target parameter)"),
            ("carried", f"{2 * len(self.layers)} scalars (two gains per layer)"),
            ("misses", f"{self.misses:,}"),
            ("largest weight error", at_most(max(claim.weight_error for claim in self.certificate.layers), 3)),
            ("certified |f - ticket|", certified),
        )

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in self.summary())
        return f"<table><caption>Strong lottery ticket</caption>{rows}</table>"
