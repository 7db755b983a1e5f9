"""The Slack stand-in's workspace and the people in it."""

from typing import Any

TEAM_ID = "T0SANDBOX1"
BOT_USER_ID = "U0SANDBOXB"
BOT_ID = "B0SANDBOX1"
APP_ID = "A0SANDBOX1"
SIGNING_SECRET = "sandbox-signing-secret"  # noqa: S105 (the stand-in's own)
PEOPLE = {
    "U0SANDBOX1": ("sam", "Sam Signal", "sam@example.com"),
    "U0SANDBOX2": ("robin", "Robin Router", "robin@example.com"),
}
_PERSON_FLAGS = (
    "deleted",
    "is_admin",
    "is_owner",
    "is_primary_owner",
    "is_restricted",
    "is_ultra_restricted",
    "is_bot",
    "is_app_user",
)


def user(identifier: str) -> dict[str, Any]:
    name, real_name, email = PEOPLE[identifier]
    profile = {"real_name": real_name, "display_name": name, "email": email, "team": TEAM_ID}
    profile |= {
        "real_name_normalized": real_name,
        "display_name_normalized": name,
        "title": "",
        "phone": "",
    }
    profile |= {"avatar_hash": "0", "status_text": "", "status_emoji": "", "skype": ""}
    return {
        "id": identifier,
        "team_id": TEAM_ID,
        "name": name,
        "real_name": real_name,
        **dict.fromkeys(_PERSON_FLAGS, False),
        "tz": "Etc/UTC",
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "updated": 1_704_067_200,
        "profile": profile,
    }
