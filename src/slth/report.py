"""Not a package any more: tables, figures and pages are in `slth.reporting`; `slth.report` is the verb."""

raise ImportError("slth.report is the verb, a function; the package of the pages is called slth.reporting")
