"""Records and tickets become tables and figures."""

from slth.reporting.anatomy import draw_anatomy
from slth.reporting.exhibit import Check, Exhibit, Measured, evaluations_of, read_evaluation
from slth.reporting.page import check_page_name, page, write_page

__all__ = [
    "Check",
    "Exhibit",
    "Measured",
    "check_page_name",
    "draw_anatomy",
    "evaluations_of",
    "page",
    "read_evaluation",
    "write_page",
]
