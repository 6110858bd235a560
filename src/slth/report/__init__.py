"""Records and tickets become tables and figures."""

from slth.report.anatomy import draw_anatomy
from slth.report.exhibit import Check, Exhibit, Measured, evaluations_of, read_evaluation
from slth.report.page import check_page_name, page, write_page

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
