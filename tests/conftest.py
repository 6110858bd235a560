"""Runtime shape checking for every call into slth, and one torch thread."""

import os

from jaxtyping import install_import_hook

os.environ.setdefault("OMP_NUM_THREADS", "1")
install_import_hook("slth", "beartype.beartype")
