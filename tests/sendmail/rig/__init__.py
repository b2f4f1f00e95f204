# SPDX-License-Identifier: MIT
"""sendmail(1) as it is installed: set-gid, run by somebody without rights, in a place of its own."""

import os
import sys

sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from .case import Case, main
from .daemon import Daemon
from .installed import CALLER, Installed, dropped
from .syscalls import Trace

__all__ = ["CALLER", "Case", "Daemon", "Installed", "Trace", "dropped", "main"]
