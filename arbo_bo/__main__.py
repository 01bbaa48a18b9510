"""``python -m arbo_bo`` is ``arbo``."""

import sys

from arbo_bo.cli import main

if __name__ == "__main__":
    sys.exit(main())
