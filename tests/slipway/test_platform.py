"""The platform of `slipway up`: which services, in which environment, with which secret."""

from __future__ import annotations

import json
import socket
import stat
from pathlib import Path

import pytest

from shared.errors import ConflictError, NotFoundError
from slipway import development_token, platform
from slipway.__main__ import parser
from slipway.demo import tree
from slipway.samples import samples, write_programs
from slipway.up import consecutive_ports


def made(tmp_path: Path) -> platform.Platform:
    return platform.on_this_machine(data=tmp_path, ports=list(range(5000, 5000 + platform.ports_needed())))


def test_the_catalog_comes_first_then_every_deployer_then_the_playground(tmp_path: Path):
    names = [service.name for service in made(tmp_path).services]

    assert names == ["catalog", "argo", "kubeflow", "kubernetes-client", "playground-deployer", "playground"]


def test_a_deployer_is_run_by_the_package_of_its_entry_point(tmp_path: Path):
    modules = [service.module for service in made(tmp_path).deployers]

    assert modules == ["services.argo", "services.kubeflow", "kubernetes_client", "playground.deployer"]


def test_no_two_services_share_a_port(tmp_path: Path):
    services = made(tmp_path).services
    ports = [port for service in services for port in (service.port, service.metrics_port, service.ui_port) if port]

    assert len(ports) == platform.ports_needed()
    assert len(set(ports)) == len(ports)


def test_the_catalog_offers_every_deployer_and_links_to_the_playground(tmp_path: Path):
    here = made(tmp_path)

    environment = here.environment(here.catalog)

    assert environment["SLIPWAY_CATALOG_DEPLOYERS"].split(",") == [
        "argo=http://127.0.0.1:5002",
        "kubeflow=http://127.0.0.1:5004",
        "kubernetes-client=http://127.0.0.1:5006",
        "playground-deployer=http://127.0.0.1:5008",
    ]
    assert environment["SLIPWAY_CATALOG_PLAYGROUNDS"] == here.playground.url


def test_the_key_of_pushes_is_for_the_playground_and_its_deployer(tmp_path: Path):
    here = made(tmp_path)

    knowing = [service.name for service in here.services if "SLIPWAY_PLAYGROUND_KEY" in here.environment(service)]

    assert knowing == ["playground-deployer", "playground"]
    assert here.environment(here.named("playground-deployer"))["SLIPWAY_PLAYGROUND_URL"] == here.playground.url


def test_the_playground_runs_processes_from_a_folder_of_the_platform(tmp_path: Path):
    here = made(tmp_path)

    environment = here.environment(here.playground)

    assert environment["SLIPWAY_PLAYGROUND_RUNTIME"] == f"process:{tmp_path}/playground"
    assert environment["SLIPWAY_WORKERS"] == "1"
    assert environment["SLIPWAY_PLAYGROUND_UI_DOMAIN"] == f"localhost:{here.playground.ui_port}"


def test_the_playground_may_run_the_node_of_every_sample(tmp_path: Path):
    write_programs(tmp_path / "playground")

    table = json.loads((tmp_path / "playground" / "images.json").read_text())["images"]
    images = {
        node["image"]
        for sample in samples().values()
        for node in json.loads(sample.files.get("blueprint.json", b'{"nodes": []}'))["nodes"]
        if node["image"].startswith("slipway/")
    }
    assert len(images) > 9
    assert images <= table.keys()


def test_a_deployer_loads_from_the_catalog_over_http(tmp_path: Path):
    here = made(tmp_path)

    environment = here.environment(here.deployers[0])

    assert environment["SLIPWAY_PERSISTENCE"] == "acumos:http://127.0.0.1:5000/ccds"


def test_the_development_secret_is_made_once_and_for_its_owner_only(tmp_path: Path):
    first = platform.development_secret(tmp_path / "data")

    assert platform.development_secret(tmp_path / "data") == first
    assert len(first) >= 32
    assert stat.S_IMODE((tmp_path / "data" / "development-secret").stat().st_mode) == 0o600


def test_a_taken_port_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ConflictError, match=f"port {port} is taken"):
            consecutive_ports(port)


def test_a_token_needs_the_folder_of_a_platform(tmp_path: Path):
    arguments = parser().parse_args(["token", "--data", str(tmp_path)])

    with pytest.raises(NotFoundError, match="slipway up"):
        development_token.run(arguments)


def test_every_sample_has_what_a_persistence_keeps_and_no_programs():
    paths = {path for sample in samples().values() for path in sample.files}

    assert {path.rpartition(".")[2] for path in paths} <= {"json", "proto", "html", "txt", "png"}
    assert len(samples()) >= 4


def test_the_sample_with_a_component_that_runs_once_says_so():
    assert samples()["word-count"].options == {"nodes": {"seed": {"kind": "job"}}}


def test_the_tree_shows_each_folder_once():
    assert tree({"a/b/x": b"12", "a/y": b"", "z": b"1"}) == ["a/", "  b/", "    x  2", "  y  0", "z  1"]
