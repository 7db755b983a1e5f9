"""Shortcut's deliveries: is the signature right, and what is it about? No I/O."""

import hashlib
import hmac
import json
from collections.abc import Mapping

from integrations.base import Delivery
from models.errors import UserFacing

SIGNATURE = b"payload-signature"
EVENT = "story"


def is_signed(body: bytes, signature: bytes, secret: str) -> bool:
    """HMAC-SHA256 over the body, in hexadecimal; compared in constant time."""
    wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
    return hmac.compare_digest(wanted, signature.strip().lower())


def parse(headers: Mapping[bytes, bytes], body: bytes) -> Delivery:
    """The delivery; UserFacing says what is missing where it is none of Shortcut's."""
    if headers.get(b"content-type", b"").split(b";")[0].strip().lower() != b"application/json":
        raise UserFacing("Shortcut sends application/json; this is no delivery of Shortcut's")
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise UserFacing("the body is not JSON") from None
    if not isinstance(payload, dict) or not isinstance(payload.get("id"), str | int):
        raise UserFacing("the body has no id; this is no delivery of Shortcut's")
    actions = payload.get("actions")
    kinds = {
        str(action.get("entity_type"))
        for action in (actions if isinstance(actions, list) else ())
        if isinstance(action, Mapping)
    }
    matters = bool(kinds & {"story", "story-comment", "epic"})
    return Delivery(str(payload["id"])[:100], EVENT, ",".join(sorted(kinds))[:100], None, payload, matters)
