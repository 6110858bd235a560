"""`slth export`: the network that a ticket stands for, as a file."""

from slth import api
from slth.cli import _print
from slth.records import verbs


def run(asked: verbs.Export) -> int:
    """Write it, and say how large it is; of an ONNX file also how far onnxruntime is from PyTorch."""
    if asked.difference:
        verbs.check_places(asked, made={"property": (asked.out.with_suffix(".vnnlib"), "property")})
    found = api.export(**verbs.keywords(asked))
    _print.wrote_tensors(asked.out, found)
    if found.question is not None:
        _print.note(f"wrote {found.question}: unsat proves the claimed bound; what it says stands in its first lines")
    if found.difference is not None:
        print(
            f"onnxruntime and PyTorch differ by at most {found.difference:.3g} on random inputs; "
            f"float32 rounding allows {found.allowed:.3g}"
        )
    return 0
