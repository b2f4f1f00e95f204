# SPDX-License-Identifier: MIT
"""A daemon with mail in every state at the same time, whose addresses and replies are as unpleasant as they come."""

import threading

from rig_common.waiting import until

CONTENT = b"Subject: x\r\n\r\nbody\r\n"
LONG = f"{'a-very-long-name.' * 3}x@{'department.' * 12}dest.example"
WIDE = "配送状況のお知らせ.担当者@飛脚運送.例え.jp"
MARKED = "jose\u0301@dest.example"
REPLIES = {
    "later": "450 4.2.0 \x1b[31mred\x1b[0m \x07bell, \u202ereversed, \x9b1mC1 and \xa0" + "much more to say about it, " * 12 + "later",
    "nobody": "550 5.1.1 \x1b]0;title\x07there is nobody of that name",
}


class Motley:
    """`settings` are the daemon's at first. Its smarthost takes mail, but for recipients whose names begin as those of REPLIES,
    and answers nothing about SENT before close(), so that a mail to it is being sent for long."""

    SENT = "anna@silent.example"

    def __init__(self, place, catcher):
        self._closed = threading.Event()
        catcher.refuse = self._refusal
        self._host = {"name": "main", "host": place.address, "tls": "none", "auth": "none", "port": catcher.port}
        self.settings = self._with({})

    def _with(self, changes):
        """What waits for its time does so for longer than any test takes."""
        return {"smarthosts": [self._host | changes], "queue": {"retry": {"first": "1h"}}}

    def close(self):
        self._closed.set()

    def _refusal(self, stage, recipients):
        if stage != "rcpt":
            return None
        if recipients[0] == self.SENT:
            self._closed.wait()
        return next((reply for name, reply in REPLIES.items() if recipients[0].startswith(name)), None)

    def fill(self, daemon, steer):
        """Hands mail in, and waits until each is in its state; `steer` runs `hikyaku` with words. Returns the id of the mail
        that is held."""
        daemon.submit(CONTENT, "shop@example.com", ["later-held@dest.example"])
        held = daemon.wait_for("deferred")["id"]
        steer("queue", "hold", held)
        daemon.submit(CONTENT, recipients=["nobody@dest.example", "later@dest.example", "you@dest.example"])
        daemon.submit(CONTENT, LONG, ["later." + LONG], ["ENVID=x", "RET=HDRS"])
        daemon.submit(CONTENT, WIDE, ["later+" + WIDE, "later+" + MARKED], ["SMTPUTF8", "BODY=8BITMIME"])
        daemon.submit(CONTENT * 1000, recipients=[f"later{number}@dest.example" for number in range(3)])
        daemon.submit(CONTENT, recipients=[self.SENT])
        until(lambda: len({event["id"] for event in daemon.events("deferred")}) == 5 and daemon.events("failed")
              and daemon.events("notice"), 60, daemon.log)
        return held

    def pause(self, daemon):
        """Nobody listens at the smarthost any more."""
        daemon.configure(self._with({"port": 1}))
        daemon.reload()
        daemon.wait_for("smarthost paused")

    def use_up_rate(self, daemon):
        """The smarthost may be given one message a day: the first of those that are due by then, which it refuses once more."""
        daemon.configure(self._with({"rate": "1/day"}))
        daemon.reload()
