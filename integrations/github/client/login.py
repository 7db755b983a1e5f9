"""Logging a person in with GitHub: where to send the browser, and who it is that came back.

Two plain requests of the OAuth web flow, with PKCE. The person's token is asked for nothing but the name and is
forgotten with the answer.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import httpx

from integrations.github.client.client import GithubClient
from integrations.http import request_json
from models.errors import Rejected, Transient

TIMEOUT = 10.0
LEVELS = ("admin", "maintain", "write", "triage", "read", "none")
SHOWN = "GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET"


def web_address(base_url: str) -> str:
    """Where people reach the GitHub whose API is at `base_url`."""
    parts = urlsplit(base_url)
    host = parts.netloc
    if host == "api.github.com" or (host.startswith("api.") and host.endswith(".ghe.com")):
        host = host.removeprefix("api.")
    return urlunsplit((parts.scheme, host, "", "", ""))


@dataclass(frozen=True, slots=True, repr=False)
class LoginApp:
    """The OAuth half of a GitHub App, or an OAuth App, at one GitHub."""

    base_url: str
    client_id: str
    client_secret: str
    user_agent: str

    def address(self, *, state: str, verifier: str, redirect_uri: str) -> str:
        """Where the browser goes to log in; no scope is asked for, the name is public."""
        query = {
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        return f"{web_address(self.base_url)}/login/oauth/authorize?{urlencode(query)}"

    async def login_of(self, code: str, *, verifier: str, redirect_uri: str) -> str:
        """The account that GitHub gave this code for; Rejected where it gave it for none."""
        form = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        }
        headers = {"accept": "application/json", "user-agent": self.user_agent}
        async with httpx.AsyncClient(timeout=TIMEOUT, headers=headers) as client:
            address = f"{web_address(self.base_url)}/login/oauth/access_token"
            given = await request_json(client, "github", "POST", address, credential=SHOWN, data=form)
            token = given.get("access_token") if isinstance(given, Mapping) else None
            if not isinstance(token, str) or not token:
                # GitHub refuses a code with status 200.
                why = given.get("error") if isinstance(given, Mapping) else None
                raise Rejected(f"github: the log-in was refused ({str(why)[:60]}); try again")
            bearer = {"authorization": f"Bearer {token}", "accept": "application/vnd.github+json"}
            address = f"{self.base_url.rstrip('/')}/user"
            person = await request_json(
                client, "github", "GET", address, credential="the log-in", headers=bearer
            )
        login = person.get("login") if isinstance(person, Mapping) else None
        if not isinstance(login, str) or not login:
            raise Transient("github: /user came as something else than an account")
        return login


async def permission(client: GithubClient, repo: str, login: str) -> str:
    """What an account may do in a repository: admin, maintain, write, triage, read or none."""
    address = f"/repos/{repo}/collaborators/{quote(login, safe='')}/permission"
    try:
        _, data = await client.read(address, repo)
    except Rejected as error:
        if error.status == 404:
            # No such account, or a repository that the bot itself does not see.
            return "none"
        raise
    found = data if isinstance(data, Mapping) else {}
    # A role of an organisation's own making stands on one of GitHub's, which the older key names.
    known = (found.get("role_name"), found.get("permission"))
    return next((str(name) for name in known if name in LEVELS), "none")


def challenge(verifier: str) -> str:
    """What PKCE shows of the verifier before it is used (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
