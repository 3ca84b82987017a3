"""``python -m mnist_lib``: the command line."""

from __future__ import annotations

import sys

try:
    from mnist_lib.command_line import main

    sys.exit(main())
except KeyboardInterrupt:  # while the libraries were loading, too
    sys.exit(130)
