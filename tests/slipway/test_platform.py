"""The platform of `slipway up`: which services, in which environment, with which secret."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from shared.errors import ConflictError, NotFoundError
from slipway import development_token, platform
from slipway.__main__ import parser
from slipway.demo import samples, tree
from slipway.up import consecutive_ports


def made(tmp_path: Path) -> platform.Platform:
    return platform.on_this_machine(data=tmp_path, ports=list(range(5000, 5000 + platform.ports_needed())))


def test_the_catalog_comes_first_and_every_deployer_after_it(tmp_path: Path):
    assert [service.name for service in made(tmp_path).services] == ["catalog", "kubernetes-client"]


def test_a_deployer_is_run_by_the_package_of_its_entry_point(tmp_path: Path):
    assert [service.module for service in made(tmp_path).deployers] == ["kubernetes_client"]


def test_no_two_services_share_a_port(tmp_path: Path):
    ports = [port for service in made(tmp_path).services for port in (service.port, service.metrics_port)]

    assert len(set(ports)) == len(ports)


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
