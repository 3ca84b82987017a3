"""``python -m mnist_lib``: the command line."""

from __future__ import annotations

import signal
import sys

# While the libraries load, Ctrl-C simply ends: raised in the middle of an import it may be swallowed.
before = signal.signal(signal.SIGINT, signal.SIG_DFL)

from mnist_lib.command_line import main  # noqa: E402

signal.signal(signal.SIGINT, before)
sys.exit(main())
