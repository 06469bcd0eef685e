"""
``python -m epos_conformance.reference``
"""

from __future__ import annotations

import sys

from epos_conformance.reference.cli import main


sys.exit(main())
