# SPDX-License-Identifier: MIT
"""What the interop tests stand on: a private loopback address with the real ports (25, 465, 587), certificates,
Postfix with Dovecot's log-in as the smarthost, a catcher behind it that keeps each mail's exact bytes, and hikyakud.

Everything lives in one temporary directory a test program and ends with it; processes are ended by their own ids.
Nothing here sleeps to wait for something: `until` asks again until it holds or the test has failed.
"""

import os
import sys

sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from rig_common.waiting import until

from .case import Case, main
from .catcher import Catcher, Mail
from .certificates import Authority, Certificate
from .dovecot import Dovecot
from .hikyakud import Hikyakud
from .notify import NotifySocket
from .place import Place
from .postfix import Listener, Postfix

__all__ = ["Authority", "Case", "Catcher", "Certificate", "Dovecot", "Hikyakud", "Listener", "Mail", "NotifySocket",
           "Place", "Postfix", "main", "until"]
