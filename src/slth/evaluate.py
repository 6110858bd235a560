"""Not a package any more: verification and measurement are in `slth.evidence`; `slth.evaluate` is the verb."""

raise ImportError("slth.evaluate is the verb, a function; the package of the checker is called slth.evidence")
