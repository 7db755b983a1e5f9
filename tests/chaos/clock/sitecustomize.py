"""On PYTHONPATH only in chaos: this process's clock is wrong by as much as a file says, at any moment.

The file, named by SWITCHYARD_CLOCK, holds one double: the seconds that are added to the time of day. Clocks that
only measure (time.monotonic) stay right, as they do when a machine's clock is set.
"""

import datetime as dates
import mmap
import os
import struct
import time
from pathlib import Path

_real_time, _real_ns, _Real = time.time, time.time_ns, dates.datetime


def _shift() -> float:
    return float(struct.unpack("d", _page[:8])[0])


class _Kind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _Real)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, _Real)


class datetime(_Real, metaclass=_Kind):
    """The standard one, with another now."""

    @classmethod
    def now(cls, tz: dates.tzinfo | None = None) -> _Real:
        return _Real.now(tz) + dates.timedelta(seconds=_shift())

    @classmethod
    def utcnow(cls) -> _Real:
        return _Real.fromtimestamp(_real_time() + _shift(), dates.UTC).replace(tzinfo=None)


if os.environ.get("SWITCHYARD_CLOCK"):
    with Path(os.environ["SWITCHYARD_CLOCK"]).open("r+b") as _file:
        _page = mmap.mmap(_file.fileno(), 8)
    time.time = lambda: _real_time() + _shift()
    time.time_ns = lambda: _real_ns() + int(_shift() * 1e9)
    datetime.__module__ = "datetime"
    dates.datetime = datetime  # type: ignore[misc]
