"""Runs a kept program with both libraries: `python -c "import kept; kept.difference(path)"`."""

import os
import pathlib
import sys


def difference(path):
    """True, and the difference printed, where a program parts the libraries."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import hwaro
    import torch

    from program import from_source
    from shrink import part

    found = part(from_source(pathlib.Path(path).read_text()), False, hwaro, torch)
    if found:
        print(found, file=sys.stderr)
    return found is not None
