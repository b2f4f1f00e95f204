# SPDX-License-Identifier: MIT
"""A ledger that tells a message that was stored twice from one that was relayed twice."""

import re
from collections import defaultdict

from .ledger import Ledger

ID = re.compile(rb"\bid (\w+)")


class Copies(Ledger):
    """Keeps the ids of the spool's mails by which each recipient got something."""

    def __init__(self):
        super().__init__()
        self.ids = defaultdict(list)

    def arrive(self, content, recipients):
        super().arrive(content, recipients)
        for recipient in recipients:
            self.ids[recipient].append(ID.search(content[:2000])[1])

    def stored_twice(self):
        """Recipients."""
        return {recipient for recipient, ids in self.ids.items() if len(set(ids)) > 1}

    def relayed_twice(self):
        """How often."""
        return sum(len(ids) - len(set(ids)) for ids in self.ids.values())
