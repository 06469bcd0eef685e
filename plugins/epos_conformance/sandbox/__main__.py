"""
``python -m epos_conformance.sandbox``
"""

from __future__ import annotations

import sys

from epos_conformance.sandbox.cli import main


sys.exit(main())
