"""Records and tickets become tables and figures."""

from slth.reporting.bounds import draw_bounds
from slth.reporting.comparison import draw_comparison
from slth.reporting.exhibit import Exhibit, evaluations_of, searches_of
from slth.reporting.page import check_page_name, page, write_page
from slth.reporting.pictures import check_picture_name, draw_anatomy, picture_bytes, save_picture

__all__ = [
    "Exhibit",
    "check_page_name",
    "check_picture_name",
    "draw_anatomy",
    "draw_bounds",
    "draw_comparison",
    "evaluations_of",
    "page",
    "picture_bytes",
    "save_picture",
    "searches_of",
    "write_page",
]
