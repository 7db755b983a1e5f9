"""What goes wrong at GitHub, named for what to do about it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import requests
import urllib3
from github import GithubException

from integrations.resilience import retry_after
from models.errors import BadCredential, RateLimited, Rejected, SwitchyardError, Transient, Unauthorized


def translate(error: Exception, url: str) -> SwitchyardError:
    """PyGithub's and requests' errors, named for what to do."""
    if isinstance(error, SwitchyardError):
        return error
    if isinstance(error, GithubException):
        return _from_status(error, url)
    if isinstance(error, requests.exceptions.ConnectionError):
        return Transient(f"github: cannot connect ({_reason(error)})", maybe_sent=not _never_sent(error))
    if isinstance(error, requests.exceptions.RequestException):
        # Its words may quote a header, and with it the credential.
        return Transient(f"github: {type(error).__name__}")
    if isinstance(error, ValueError):
        return Transient(f"github: answered {url.split('?')[0]} with broken JSON")
    if isinstance(error, (RuntimeError, AssertionError)):
        # PyGithub follows 301 on the same host, and refuses redirects to another one this way.
        return Rejected(f"github: {str(error)[:200] or 'an address outside of base_url'}", status=301)
    raise error


def _from_status(error: GithubException, url: str) -> SwitchyardError:
    status = int(error.status or 0)
    headers = {str(k).lower(): str(v) for k, v in (error.headers or {}).items()}
    data = error.data if isinstance(error.data, Mapping) else {}
    words = str(data.get("message") or error.message or f"HTTP {status}")[:300]
    path = url.split("?")[0]
    limited = (
        "retry-after" in headers
        or headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in words.lower()
    )
    if status == 429 or (status == 403 and limited):
        return RateLimited(f"github: {words}", _limited_until(headers))
    if status == 401:
        return BadCredential(
            f"github: the credential was refused ({words}); renew GITHUB_TOKEN or the App's key"
        )
    if status == 403:
        return Unauthorized(f"github: {path} is forbidden ({words}); give the credential access to it")
    if status >= 500 or status == 408:
        return Transient(f"github: HTTP {status} for {path}")
    details = "; ".join(
        str(item.get("message") or f"{item.get('field')}: {item.get('code')}")
        for item in data.get("errors") or ()
        if isinstance(item, Mapping)
    )
    return Rejected(f"github: {words}{f' ({details[:200]})' if details else ''} for {path}", status=status)


@contextmanager
def needing(permission: str) -> Iterator[None]:
    """Around requests that ask for a permission of their own: what is refused to a credential that may do the rest
    goes to the dead letters with what would mend it, and the lane goes on."""
    try:
        yield
    except BadCredential:
        raise
    except Unauthorized as error:
        raise Rejected(f"{error}; it needs {permission}") from None
    except Rejected as error:
        if error.status != 404:
            raise
        # GitHub says so of what a credential may not see. The issue is there, so no status: nobody looks for it.
        raise Rejected(f"{error}; it needs {permission}") from None


def _limited_until(headers: Mapping[str, str]) -> datetime:
    """Retry-After, else the reset time of a spent budget, else a minute, as GitHub asks."""
    if "retry-after" in headers:
        return retry_after(headers["retry-after"], default=60)
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdigit():
        until = datetime.fromtimestamp(int(headers["x-ratelimit-reset"]), UTC)
        return min(until + timedelta(seconds=1), datetime.now(UTC) + timedelta(hours=2))
    return retry_after(None, default=60)


def _never_sent(error: requests.exceptions.ConnectionError) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    cause = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(cause, urllib3.exceptions.NewConnectionError)


def _reason(error: Exception) -> str:
    text = str(error.args[0] if error.args else error)
    return text.rsplit(": ", 1)[-1].strip("()'\" ")[:120]
