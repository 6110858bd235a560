"""Strong lottery tickets: a trained network as a pruned random network, stored as a seed and a bit mask.

ticket = slth.construct(model, input_range=(0, 1))
slth.save(ticket, "model.slth")
slth.verify("model.slth", target=model).holds
"""

from typing import TYPE_CHECKING, Any

from slth._version import __version__

if TYPE_CHECKING:
    from slth._errors import InputError
    from slth.api import (
        apply,
        bounds,
        cite,
        compare,
        construct,
        evaluate,
        export,
        load,
        plan,
        query,
        realised,
        report,
        save,
        search,
        show,
        source,
        train,
        verify,
        with_claim,
    )
    from slth.learning import attach
    from slth.reproductions import reproduce
    from slth.ticket import Ticket

_HOMES = {
    "InputError": "slth._errors",
    "Ticket": "slth.ticket",
    "attach": "slth.learning",
    "reproduce": "slth.reproductions",
}
__all__ = [
    "InputError",
    "Ticket",
    "__version__",
    "apply",
    "attach",
    "bounds",
    "cite",
    "compare",
    "construct",
    "evaluate",
    "export",
    "load",
    "plan",
    "query",
    "realised",
    "report",
    "reproduce",
    "save",
    "search",
    "show",
    "source",
    "train",
    "verify",
    "with_claim",
]


def __getattr__(name: str) -> Any:
    """Load the public names on first use (PEP 562), so that `import slth` stays fast."""
    if name not in __all__:
        raise AttributeError(f"module 'slth' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES.get(name, "slth.api")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
