# SPDX-License-Identifier: MIT
"""What the tests of the real daemon on real file systems share: a place, a daemon, a smarthost, clients, a ledger."""

import os
import sys

sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from rig_common.waiting import until

from .client import Client, Refused
from .daemon import CONNECTIONS, Daemon
from .ledger import Ledger
from .place import Place
from .running import Failed, main
from .scenario import LARGE, SMALL, Scenario
from .smarthost import FOREVER, Smarthost
from .saboteur import Saboteur, inject

__all__ = ["CONNECTIONS", "FOREVER", "LARGE", "SMALL", "Client", "Daemon", "Failed", "Ledger", "Place", "Refused",
           "Saboteur", "Scenario", "Smarthost", "inject", "main", "until"]
