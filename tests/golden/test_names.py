"""Commands, nodes, sub-flows, configuration and HTTP paths keep their names."""

from pathlib import Path

import pytest

from tests.golden import product
from tests.golden.check import check
from tests.golden.events import incoming_names
from tests.golden.names import command_names, flow_names, node_names, setting_names, switched_on
from tests.golden.operations import operation_names
from tests.golden.sandbox import control_names
from tests.world import World


def test_commands_and_their_options() -> None:
    check("commands", command_names(product.command_line()))


def test_nodes_and_their_parameters() -> None:
    check("nodes", node_names(product.node_types()))


def test_subflows_and_their_steps() -> None:
    check("subflows", flow_names(product.built_in_flows()))


def test_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    packaged = switched_on(product.packaged_settings())
    check("configuration", [*setting_names(product.Settings), *packaged])


def test_a_repositorys_own_configuration() -> None:
    check("repository_configuration", setting_names(product.RepositorySettings))


def test_secrets() -> None:
    check("secrets", product.SECRETS)


async def test_http_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_TOKEN", "sandbox")
    settings = {"storage": {"url": f"sqlite:///{tmp_path}/t.db"}, "scaling": {"cpu_workers": 0}}
    async with product.routes(settings) as found:
        check("http_paths", (f"{path} {method}" for method, path in found))


def test_operations_and_their_payloads() -> None:
    check("operations", operation_names(product.command_makers()))


def test_words_of_people() -> None:
    check("spoken_words", product.spoken_words())


def test_incoming_webhooks() -> None:
    check("incoming_webhooks", incoming_names())


def test_what_the_sandbox_takes(tmp_path: Path) -> None:
    with World(tmp_path, []) as world:
        check("sandbox_control", control_names(world.http))
