"""The configured sub-flows: composed of what the settings hold, with the services that these declare."""

from config.settings import Settings
from nodes.call_api import Operation
from subflows.base import Subflow
from subflows.compose import Declared, compose


def declared(settings: Settings) -> Declared:
    """What flows may call."""
    return {
        name: {
            operation: Operation(reads=known.reads, fields=known.fields)
            for operation, known in service.operations.items()
        }
        for name, service in settings.integrations.services.items()
    }


def flows_of(settings: Settings) -> dict[str, Subflow]:
    """All flows by name; subflows.compose.FlowError says what is wrong, and where under `subflows`."""
    return compose(settings.subflows, declared(settings))
