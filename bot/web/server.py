"""`serve` and `worker`: the processes that stay, from their start to an orderly end."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial

import structlog
import uvicorn

from bot.app.app import App, working
from bot.deliver import reconcile
from bot.learn.drift import check_drift
from bot.learn.retrain import retrain
from bot.monitor.health import Pulse, probe
from bot.notify import mail
from bot.notify.alerts import check_alerts
from bot.store.database import brief
from bot.trigger import installations, slack, sweep
from bot.trigger.schedule import Scheduler, create_scheduler
from bot.trigger.webhooks import Door, sources
from bot.web.app import create_app
from bot.web.background import Background
from models.errors import SwitchyardError, UserFacing

log = structlog.get_logger()

GRACE = 5
"""Seconds that open requests have to end after a stop was asked for."""


async def serve(app: App, host: str, port: int) -> None:
    """Pages, scheduler, lanes and batches in one process, until a signal asks it to stop."""
    pulse = Pulse()
    background = Background(app, pulse)
    scheduler = _scheduler(app, pulse, background)
    listener = bind(host, port)
    try:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(working(app))
            # Before the first delivery is taken it must be known which repositories there are.
            await installations.look(app)
            await stack.enter_async_context(background.running())
            pages = create_app(app, host=host, pulse=pulse, start=background.begin_asked)
            door = Door(pages, app.database, sources(app.secrets), app.delivered.set)
            # Beside all else: Slack may be slow or away, and nothing here waits for it.
            asking = asyncio.ensure_future(slack.learn_workspace(app))
            stack.callback(asking.cancel)
            server = _Server(door, app.settings.access.trusted_proxies)
            with _on_stop(server.stop):
                async with _scheduling(scheduler, pulse):
                    await background.catch_up()
                    server.announce = f"switchyard serving on {address(listener)}"
                    await server.serve([listener])
    finally:
        listener.close()


async def work(app: App) -> None:
    """Lanes and batches without pages and scheduler, until a signal asks to stop."""
    stop = asyncio.Event()
    pulse = Pulse()
    with _on_stop(stop.set):
        async with working(app), Background(app, pulse).running():
            sys.stderr.write("switchyard worker at work\n")
            while not stop.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(app.settings.monitoring.health_check_interval):
                        await stop.wait()
                await _check_alerts(app)


def bind(host: str, port: int) -> socket.socket:
    """The listening socket; bound here because uvicorn would end the process where the port is taken."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # `localhost` may be both ::1 and 127.0.0.1; people and health checks type the latter.
        family, kind, protocol, _, where = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UserFacing(f"--host {host}: no such address ({error.strerror or error})") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(2048)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise UserFacing(
            f"cannot listen on {host} port {port}: {error.strerror or error}; choose another with --port"
        ) from None
    return listener


def address(listener: socket.socket) -> str:
    """What to type into a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """uvicorn in this loop, with this process's own way to stop and one line when it is ready."""

    announce = ""

    def __init__(self, application: object, proxies: Sequence[str] = ()) -> None:
        super().__init__(
            uvicorn.Config(
                application,  # type: ignore[arg-type]
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(proxies),
                forwarded_allow_ips=list(proxies),
                timeout_graceful_shutdown=GRACE,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: uvicorn would raise the signal again at its end, before lanes and runs are put away."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stderr.write(f"{self.announce}\n")
        sys.stderr.flush()

    def stop(self) -> None:
        """End in good order; asked a second time, without waiting for open requests."""
        self.force_exit = self.should_exit
        self.should_exit = True


@contextmanager
def _on_stop(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and Ctrl-C call `stop` while inside."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        # Not every platform and not every thread may handle signals.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in signals:
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.remove_signal_handler(number)


def _scheduler(app: App, pulse: Pulse, background: Background) -> Scheduler:
    async def look() -> None:
        await probe(app, pulse.health)
        await _check_alerts(app)

    async def learn() -> None:
        try:
            await retrain(app, datetime.now(UTC))
        except SwitchyardError as error:
            log.warning("the scheduled training did not end", reason=str(error))

    return create_scheduler(
        app.settings,
        background.begin_nightly,
        look,
        # Not lambdas: the scheduler looks whether what it is given is a coroutine function.
        partial(_watched, app, "training", learn),
        partial(_watched, app, "drift", partial(check_drift, app)),
        partial(_watched, app, "reconciliation", partial(reconcile.look, app.stories)),
        sweep=partial(_watched, app, "sweep", partial(sweep.look, app)),
        refresh=partial(installations.look, app),
        post=partial(_watched, app, "mail", partial(mail.send_due, app)),
    )


async def _watched(app: App, task: str, work: Callable[[], Awaitable[None]]) -> None:
    """One turn of scheduled work; what surprises it is noted, and it comes again at its next time."""
    try:
        await work()
    except Exception as error:
        log.error("scheduled task failed", task=task, error=brief(error))
        app.tasks.failed(task, brief(error))
    else:
        app.tasks.worked(task)


@asynccontextmanager
async def _scheduling(scheduler: Scheduler, pulse: Pulse) -> AsyncIterator[None]:
    scheduler.start()
    pulse.scheduler = scheduler
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


async def _check_alerts(app: App) -> None:
    try:
        await check_alerts(app)
    except Exception as error:
        # Alerts are a help; they must never stop what they watch.
        log.error("alerts could not be checked", error=brief(error))
        app.tasks.failed("alerts", brief(error))
    else:
        app.tasks.worked("alerts")
