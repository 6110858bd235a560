"""Records and tickets become tables and figures."""

from slth.reporting.anatomy import check_picture_name, draw_anatomy
from slth.reporting.exhibit import Exhibit, evaluations_of
from slth.reporting.page import check_page_name, page, write_page

__all__ = [
    "Exhibit",
    "check_page_name",
    "check_picture_name",
    "draw_anatomy",
    "evaluations_of",
    "page",
    "write_page",
]
