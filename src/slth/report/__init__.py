"""Records and tickets become tables and figures."""

from slth.report.anatomy import draw_anatomy

__all__ = ["draw_anatomy"]
