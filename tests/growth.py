"""What work costs, told without a clock on the wall: how it grows with its input, and how many calls it makes."""

import gc
import sys
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

CLEAR = 0.02
"""Seconds below which the clock is seen more than the work: nothing that short grows badly at these sizes."""
TRIES = 12


def grows_linearly(work: Callable[[T], object], large: T, small: T) -> bool:
    """Whether `large`, four times `small`, costs about four times as much; sixteen times is quadratic.

    What is compared is processor time of this process on the same machine, and of each the least of several tries:
    other work can only add to a try. So it is tried again until the ratio is clear, and how fast the machine is or
    what else it does changes nothing but the number of tries.
    """
    least_large = least_small = float("inf")
    for _ in range(TRIES):
        least_large = min(least_large, _cpu(work, large))
        if least_large <= CLEAR:
            return True
        least_small = min(least_small, _cpu(work, small), _cpu(work, small))
        if least_large <= 6 * least_small + CLEAR:
            return True
    return False


def text_grows_linearly(work: Callable[[str], object], text: str) -> bool:
    """The same of a text and its first quarter."""
    return grows_linearly(work, text, text[: len(text) // 4])


def calls(work: Callable[[], object]) -> int:
    """How many functions a piece of work calls, in Python and in C: the same on every machine."""
    made = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return made


def _cpu(work: Callable[[T], object], given: T) -> float:
    """Without the collector of garbage: its cost depends on all that the process holds; and with nothing remembered."""
    for name, module in list(sys.modules.items()):
        if name.startswith("nodes."):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
    gc.disable()
    try:
        started = time.process_time()
        work(given)
        return time.process_time() - started
    finally:
        gc.enable()
