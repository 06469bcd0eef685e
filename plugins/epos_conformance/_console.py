"""
What the suite's own commands print.
"""

from __future__ import annotations

import os
import sys


def say(line: str) -> None:
    """Print *line* at once; what the terminal's encoding hasn't, as escapes."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough (`| head`); Python would complain once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
