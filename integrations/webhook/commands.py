"""From a stored event to the signed request that Standard Webhooks describes, and from its answer to what follows."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from models.commands import Pending

GONE = 410
"""The receiver wants no more; nothing is sent to it until its address is given anew."""
GONE_WORDS = f"the receiver answered {GONE}"


def signer(secret: str) -> Webhook:
    """ValueError where it is no signing secret."""
    try:
        return Webhook(secret)
    except EmptyWebhookSecretError:
        raise ValueError("an empty signing secret") from None


def derived_secret(secret: str, repo: str, url: str) -> str:
    """The signing secret of one address of one repository; who knows it knows no other."""
    message = "\0".join(("switchyard webhook 1", repo.casefold(), url))
    key = hmac.new(secret.encode(), message.encode(), hashlib.sha256).digest()
    return f"whsec_{base64.b64encode(key).decode()}"


def request_of(pending: Pending, signs: Webhook, now: datetime) -> tuple[bytes, Mapping[str, str]]:
    """Body and headers. Every try carries the same id and its own time."""
    body = json.dumps(pending.payload["event"], separators=(",", ":"))
    # A full stop in the id would let it run into the time that is signed after it.
    identifier = pending.key.replace(".", "_")
    return body.encode(), {
        "content-type": "application/json",
        "webhook-id": identifier,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signs.sign(identifier, now.astimezone(UTC), body),
    }


def hook_id(*parts: Any) -> str:
    """Names a hook in commands; another address, or another version of the file it stands in, is another hook."""
    return hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()[:16]
