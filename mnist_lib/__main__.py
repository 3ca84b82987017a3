"""``python -m mnist_lib``: the command line."""

from __future__ import annotations

import signal
import sys

# While the libraries load, Ctrl-C ends the process at once: an exception during an import may be swallowed.
before = signal.signal(signal.SIGINT, signal.SIG_DFL)

from mnist_lib.command_line import main  # noqa: E402

signal.signal(signal.SIGINT, before)
sys.exit(main())
