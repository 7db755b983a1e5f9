"""Channels of the Slack stand-in: their messages, and the pace at which they take them."""

import time
from typing import Any

from integrations.slack.sandbox.people import PEOPLE

BURST = 5
"""Messages to one channel that may come at once; after them one a second."""
_CHANNEL_FLAGS = (
    "is_group",
    "is_mpim",
    "is_private",
    "is_archived",
    "is_general",
    "is_shared",
    "is_ext_shared",
    "is_org_shared",
    "is_pending_ext_shared",
)


class Bucket:
    """Lets `BURST` messages through at once and then one a second."""

    def __init__(self) -> None:
        self.tokens = float(BURST)
        self.filled_at = time.monotonic()

    def take(self, per_second: float) -> float:
        """Seconds to wait; 0 where a message may go now."""
        now = time.monotonic()
        self.tokens = min(BURST, self.tokens + (now - self.filled_at) * per_second)
        self.filled_at = now
        if self.tokens < 1:
            return (1 - self.tokens) / per_second
        self.tokens -= 1
        return 0.0


class Channel:
    """A channel and its messages by their time stamps."""

    def __init__(self, identifier: str, name: str) -> None:
        self.id = identifier
        self.name = name
        self.messages: dict[str, dict[str, Any]] = {}
        self.bucket = Bucket()


def shown(channel: Channel) -> dict[str, Any]:
    direct = channel.id.startswith("D")
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not direct,
        "is_im": direct,
        "is_member": True,
        **dict.fromkeys(_CHANNEL_FLAGS, False),
        "created": 1_704_067_200,
        "creator": "U0SANDBOX1",
        "unlinked": 0,
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "previous_names": [],
        "num_members": len(PEOPLE) + 1,
    }
