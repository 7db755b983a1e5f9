"""The last look before a request's bytes go out to GitHub: is the lane that it belongs to still ours?"""

from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from integrations.resilience import require_lane


class _Connection(HTTPConnection):
    def send(self, data: Any) -> None:
        """Headers and body go out one after the other: without the body GitHub does nothing."""
        require_lane()
        super().send(data)


class _SecureConnection(HTTPSConnection):
    def send(self, data: Any) -> None:
        require_lane()
        super().send(data)


def look_before_sending() -> None:
    """PyGithub takes neither a session nor an adapter, so its connections are made from these classes."""
    HTTPConnectionPool.ConnectionCls = _Connection
    HTTPSConnectionPool.ConnectionCls = _SecureConnection
