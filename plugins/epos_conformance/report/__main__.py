"""``python -m epos_conformance.report``: the same as ``epos-report``."""

import sys

from epos_conformance.report.cli import main


sys.exit(main())
