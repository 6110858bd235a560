"""Not a package any more: methods and masks are in `slth.learning`; `slth.search` is the verb."""

raise ImportError("slth.search is the verb, a function; the package of the methods is called slth.learning")
