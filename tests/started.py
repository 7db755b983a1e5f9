"""The program forked from a process that has imported it already: as `python -m bot`, less two seconds of imports."""

import multiprocessing
import os
import runpy
import sys
import time
import warnings
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

IMPORTED = [
    "alembic.command",
    "anyio._backends._asyncio",
    "bot.cli.people",
    "bot.cli.audit",
    "bot.cli.doctor",
    "bot.cli.hooks",
    "bot.cli.issue",
    "bot.cli.queue",
    "bot.cli.run",
    "bot.cli.runs",
    "bot.cli.subflows",
    "integrations.notion.commands",
    "integrations.osv.client",
    "integrations.rest.commands",
    "integrations.slack.commands",
    "integrations.slack.webhook",
    "models.router.inference.predict",
    "models.router.inference.store",
    "sklearn.linear_model",
    "tests.started",
]
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(IMPORTED)


def forked(
    arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], timeout: float
) -> tuple[int | None, str, str]:
    """Exit code (None: it did not end in time, and was killed), stdout and stderr."""
    process, out, err = begun(arguments, folder, environment, "")
    process.join(timeout)
    late = process.is_alive()
    if late:
        process.kill()
        process.join()
    code = None if late else process.exitcode
    process.close()
    texts = [path.read_text("utf-8") if path.exists() else "" for path in (out, err)]
    out.unlink(missing_ok=True)
    err.unlink(missing_ok=True)
    return code, *texts


def begun(
    arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], name: str
) -> tuple[ForkServerProcess, Path, Path]:
    """The process, and where it writes; `name` keeps files apart where several run in one folder at a time."""
    out, err = folder / f".stdout{name}", folder / f".stderr{name}"
    process = _forks.Process(target=_program, args=(arguments, folder, dict(environment), out, err))
    process.start()
    return process, out, err


def _program(
    arguments: tuple[str, ...], folder: Path, environment: dict[str, str], out: Path, err: Path
) -> None:
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, "utf-8", "backslashreplace", closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    warnings.simplefilter("default")
    sys.argv = ["-m", *arguments]
    runpy.run_module("bot", run_name="__main__", alter_sys=True)
