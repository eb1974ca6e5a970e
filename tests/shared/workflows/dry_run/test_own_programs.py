"""A package that would have our own programs do something to this machine, or beyond it. It fails, and nothing is done."""

from __future__ import annotations

import json
import socket

import pytest
from support.dry_runs import workflow

from shared.kubernetes.volumes import PREPARE_SCRIPT
from shared.workflows.dry_run import own_programs
from shared.workflows.dry_run.outcome import PackageError

DATA = {"name": "data", "emptyDir": {}}
FILES = {"name": "files", "configMap": {"name": "given"}}
GIVEN = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "given"}}
MOUNTS = [{"name": "data", "mountPath": "/data"}, {"name": "files", "mountPath": "/files"}]


def driven(*args, **more):
    """Return a workflow whose only container is the driver."""
    body = {"image": "x", "command": ["slipway-driver"], "args": list(args), "volumeMounts": MOUNTS, **more}
    return workflow({"name": "main", "container": body}, volumes=[DATA, FILES])


def test_python_of_the_driver_obeys_no_variables_of_a_package(bench, tmp_path):
    mark = tmp_path / "mark"
    code = {**GIVEN, "data": {"sitecustomize.py": f"open({str(mark)!r}, 'w').write('run')"}}
    for name, value in (
        ("PYTHONPATH", "/files"),
        ("PYTHONSTARTUP", "/files/sitecustomize.py"),
        ("LD_PRELOAD", "/files/x"),
    ):
        found = bench.run(driven("report", "--status=x", env=[{"name": name, "value": value}]), code)

        assert found.status.is_good
        assert f"main: the variable {name} is left out: the driver does not take it" in bench.lines
    assert not mark.exists()


@pytest.mark.parametrize(
    "place", ["{elsewhere}", "/data/../../../../{elsewhere}", "/files/../../../../programs/x", "x"]
)
@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "--status=x", "--to={place}"),
        ("run", "--pipeline=/files", "--report={place}"),
        ("call", "--pipeline=/files", "--node=a", "--operation=run", "--in=b.run={place}"),
        ("call", "--pipeline=/files", "--node=a", "--operation=run", "--out=b.run={place}"),
        ("call", "--pipeline=/files", "--node=a", "--operation=run", "--digest={place}"),
        ("deploy", "--bundle=/files", "--name=x", "--namespace=x", "--endpoint-file={place}"),
        ("deploy", "--bundle={place}", "--name=x", "--namespace=x", "--endpoint-file=/data/x"),
        ("run", "--pipeline={place}"),
    ],
)
def test_the_driver_touches_no_file_that_is_not_the_run_s(bench, tmp_path, arguments, place):
    elsewhere = tmp_path / "elsewhere"
    named = [text.replace("{place}", place.replace("{elsewhere}", str(elsewhere))) for text in arguments]

    with pytest.raises(PackageError, match="expected a file of a volume or an artifact"):
        bench.run(driven(*named), GIVEN)
    assert not elsewhere.exists()


def test_a_file_that_a_parameter_names_is_looked_at_too(bench, tmp_path):
    with pytest.raises(PackageError, match="expected a file of a volume"):
        bench.run(
            {
                **driven("report", "--status=x", "--to={{workflow.parameters.place}}"),
                "spec": {
                    **driven("report", "--status=x", "--to={{workflow.parameters.place}}")["spec"],
                    "arguments": {"parameters": [{"name": "place", "value": "/data/x"}]},
                },
            },
            GIVEN,
            parameters={"place": str(tmp_path / "elsewhere")},
        )
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("word", ["http://127.0.0.1:1/x", "HTTPS://127.0.0.1:1/x"])
def test_a_report_is_posted_to_nobody(bench, word):
    with pytest.raises(PackageError, match="expected a file of a volume"):
        bench.run(driven("report", "--status=x", f"--to={word}"), GIVEN)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--pipeline=/files", "--node=a={address}"),
        ("run", "--pipeline=/files", "--endpoints=/files/endpoints"),
        ("call", "--pipeline=/files", "--node=a", "--operation=run", "--target={address}"),
    ],
)
@pytest.mark.parametrize("host", ["10.255.255.1:80", "example.org:80", "127.0.0.2:80", "[::1]:80", "localhost.x:1"])
def test_the_driver_calls_nobody_but_pods_of_the_run(bench, arguments, host):
    endpoints = {**GIVEN, "data": {"endpoints": json.dumps({"a": host})}}

    with pytest.raises(PackageError, match="expected the address of a pod"):
        bench.run(driven(*(text.replace("{address}", host) for text in arguments)), endpoints)


def test_what_listens_on_this_machine_is_no_pod(bench):
    with socket.create_server(("127.0.0.1", 0)) as own:
        address = f"127.0.0.1:{own.getsockname()[1]}"
        endpoints = {**GIVEN, "data": {"endpoints": json.dumps({"a": address})}}
        with pytest.raises(PackageError, match="expected the address of a pod"):
            bench.run(driven("run", "--pipeline=/files", "--endpoints=/files/endpoints"), endpoints)
        own.settimeout(0)
        with pytest.raises(BlockingIOError):
            own.accept()


def test_addresses_cannot_change_after_the_look_at_them(tmp_path):
    volume, own = tmp_path / "volumes", tmp_path / "homes"
    volume.mkdir()
    own.mkdir()
    (volume / "endpoints").write_text('{"a": "127.0.0.1:5"}')
    arguments = ["run", "--pipeline=" + str(volume), f"--endpoints={volume}/endpoints"]

    found = own_programs.checked(arguments, "args", folder=tmp_path, own=own, is_pod=lambda text: text == "127.0.0.1:5")

    assert found == [*arguments[:2], f"--endpoints={own}/endpoints.json"]
    assert (own / "endpoints.json").read_text() == '{"a": "127.0.0.1:5"}'


def test_addresses_that_are_not_there_yet_are_not_there_later(tmp_path):
    own = tmp_path / "homes"
    own.mkdir()

    found = own_programs.checked(
        ["run", f"--endpoints={tmp_path}/claims/late"], "args", folder=tmp_path, own=own, is_pod=lambda _: False
    )

    assert found == ["run", f"--endpoints={own}/endpoints.json"]
    assert (own / "endpoints.json").read_bytes() == b""


def test_a_way_up_is_refused_even_where_it_stays_in_the_run(tmp_path):
    with pytest.raises(PackageError, match="expected a file of a volume"):
        own_programs.check_file(f"{tmp_path}/volumes/a/../b", "args", tmp_path)


def test_folders_elsewhere_are_not_made_writable(bench, tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o700)
    body = {"image": "x", "command": ["python3", "-c", PREPARE_SCRIPT], "args": ["0", str(victim)]}

    with pytest.raises(PackageError, match="expected a file of a volume"):
        bench.run(workflow({"name": "main", "container": body}))
    assert victim.stat().st_mode & 0o777 == 0o700
