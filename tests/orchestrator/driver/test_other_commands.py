"""The report, the end of a sidecar, and commands that are none."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from orchestrator.driver import bundle_folder, sidecar
from shared.errors import InvalidRequestError, UsageError

LISTEN = "import socket, time; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); time.sleep(60)"


def test_a_report_goes_to_a_file(driver):
    file = driver.folder / "report.json"

    assert driver("report", "--status=Succeeded {{x}}", "--name=run-1", f"--to={file}") == 0
    told = json.loads(file.read_text())
    assert (told["name"], told["status"]) == ("run-1", "Succeeded {{x}}")
    assert driver.logs[-1]["event"] == "reported"


@pytest.mark.parametrize(("answer", "expected"), [(204, 0), (302, 1), (500, 1)])
def test_a_report_is_posted(driver, answer, expected):
    got: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answer)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        status = driver("report", "--status=Failed", f"--to=http://127.0.0.1:{server.server_port}/x?token=secret")
        server.shutdown()
        thread.join()

    assert status == expected
    assert got[0]["status"] == "Failed"
    assert "secret" not in json.dumps(driver.logs)


def test_a_sidecar_is_asked_to_end():
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", LISTEN], stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout is not None
        port = int(node.stdout.readline())

        assert sidecar.end(f"localhost:{port}")
        assert node.wait(10) == -15
        assert not sidecar.end(f"localhost:{port}")


def test_only_who_is_beside_the_driver_is_ended():
    assert not sidecar.end("192.0.2.1:8061")


@pytest.mark.parametrize("arguments", [[], ["sing"], ["report"], ["call", "--pipeline=x"]])
def test_wrong_usage_is_a_log_line(driver, arguments):
    assert driver(*arguments) == 2
    assert driver.logs[-1]["code"] == "usage"


@pytest.mark.parametrize("command", ["deploy", "teardown"])
def test_outside_a_cluster_nothing_is_deployed(driver, command):
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    (driver.folder / "x.yaml").write_text(json.dumps(manifest))
    more = [f"--bundle={driver.folder}", f"--endpoint-file={driver.folder}/e"] if command == "deploy" else []

    assert driver(command, "--name=r", "--namespace=n", *more) == 1
    assert driver.reason == "expected to run in a pod with a service account: there is no cluster here"


@pytest.mark.parametrize("name", ["", "Upper", "-x", "a" * 64, "a/b"])
def test_a_release_is_a_label(name):
    with pytest.raises(UsageError):
        bundle_folder.release(name)


@pytest.mark.parametrize("owner", ["Workflow", "Workflow/a", "Secret/a/b", "Workflow//b"])
def test_an_owner_has_a_kind_a_name_and_an_id(owner):
    with pytest.raises(UsageError):
        bundle_folder.owner(owner)


@pytest.mark.parametrize("content", ["a: [", "- 1", "just text"])
def test_what_is_no_manifest_is_refused(tmp_path, content):
    (tmp_path / "x.yaml").write_text(content)

    with pytest.raises(InvalidRequestError):
        bundle_folder.read(tmp_path)


def test_claims_get_no_owner_because_data_must_not_go_with_a_workflow():
    reference = bundle_folder.owner("Workflow/run-1/uid")
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "data"}}
    service = {"kind": "Service", "metadata": {"name": "node", "namespace": "elsewhere"}}

    assert "ownerReferences" not in bundle_folder.marked(claim, "r", reference)["metadata"]
    marked = bundle_folder.marked(service, "r", reference)["metadata"]
    assert marked["ownerReferences"] == [
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "run-1", "uid": "uid"}
    ]
    assert "namespace" not in marked
