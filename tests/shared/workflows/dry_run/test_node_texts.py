"""A package that would have the program of a node do something to this machine, or beyond it. Nothing is done."""

from __future__ import annotations

import json

import pytest
from support.dry_runs import bundle, container, deploys, job, workflow

from shared.workflows.dry_run import node_texts
from shared.workflows.dry_run.outcome import PackageError

TELLS = """
import json, os, sys
print(json.dumps([sys.flags.isolated, sorted(set(os.environ) - {"LANG", "LC_ALL", "LC_CTYPE", "TZ"})]))
"""
GIVEN = ["HOME", "HOST", "PATH", "PORT", "PYTHONUNBUFFERED", "SLIPWAY_PROCESS_MARK", "TMPDIR", "WEB_UI_PORT", "WORD"]
"""What a node of these tests is told, whatever a package says."""
STRANGE = [
    *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT"),
    *("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "GRPC_PROXY", "HTTP_PROXY", "https_proxy", "SSL_CERT_FILE", "OPENSSL_CONF"),
    *("HOME", "PATH", "TMPDIR", "HOST", "SLIPWAY_PROCESS_MARK", "SLIPWAY_DATA_DIRECTORY", "SHARED_FOLDER_PATH_X", "A"),
]
ENV = [*({"name": name, "value": "/files"} for name in STRANGE), {"name": "WORD", "value": "said"}]
FILES = {"name": "files", "configMap": {"name": "code"}}
MOUNT = {"name": "files", "mountPath": "/files"}


@pytest.fixture
def bench(bench):
    bench.program("open:1", TELLS, "WORD", flags=())
    return bench


@pytest.fixture
def mark(tmp_path):
    return tmp_path / "mark"


def code(mark):
    """Return a ConfigMap that is run by whoever looks into it for modules."""
    text = f"open({str(mark)!r}, 'w').write('run')"
    data = {"sitecustomize.py": text, "usercustomize.py": text, "json.py": text, "x.pth": f"import os; {text}"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "code"}, "data": data}


def of_argo(mark):
    body = {"image": "open:1", "env": ENV, "volumeMounts": [MOUNT]}
    return [workflow({"name": "main", "container": body}, volumes=[FILES]), code(mark)], "main"


def of_kubeflow(mark):
    body = {"image": "open:1", "command": ["run"], "env": ENV}
    mounts = {"configMapAsVolume": [{"configMapName": "code", "mountPath": "/files"}]}
    spec = {
        "pipelineInfo": {"name": "tried"},
        "schemaVersion": "2.1.0",
        "root": {"dag": {"tasks": {"a": {"taskInfo": {"name": "a"}, "componentRef": {"name": "a"}}}}},
        "components": {"a": {"executorLabel": "a"}},
        "deploymentSpec": {"executors": {"a": {"container": body}}},
    }
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"a": mounts}}}}}
    return [spec, platform, code(mark)], "tried.a"


def of_deploy(mark):
    body = {"name": "node", "image": "open:1", "env": ENV, "volumeMounts": [MOUNT]}
    return [deploys(), bundle(code(mark), job("a", body, FILES))], "tried.a"


@pytest.mark.parametrize("made", [of_argo, of_kubeflow, of_deploy])
def test_a_node_gets_the_variables_that_it_takes_and_obeys_no_others(bench, mark, made):
    documents, log = made(mark)

    found = bench.run(*documents)

    assert found.status == "Succeeded", found
    assert json.loads(bench.log(log)) == [0, GIVEN]
    assert f"{log}: the variable LD_PRELOAD is left out: the program for open:1 does not take it" in bench.lines
    assert not mark.exists()


def with_folder(value):
    """Return a workflow whose node is told that this is its shared folder."""
    bodies = {
        "image": "writes:1",
        "env": [{"name": "SHARED_FOLDER_PATH", "value": value}],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    return workflow({"name": "main", "container": bodies}, volumes=[{"name": "data", "emptyDir": {}}])


WRITES = "import os; open(os.environ['SHARED_FOLDER_PATH'] + '/seed.txt', 'w').write('x')"


def test_every_node_is_told_where_its_shared_folder_is(bench):
    bench.program("writes:1", WRITES)

    assert bench.run(with_folder("/data")).status == "Succeeded"
    assert [path.relative_to(bench.work).as_posix() for path in bench.work.rglob("seed.txt")] == [
        "volumes/main/data/seed.txt"
    ]


@pytest.mark.parametrize("place", ["/data/../../../../out", "/data/sub/../../../../../out"])
def test_a_shared_folder_that_leads_out_of_the_run_is_refused(bench, tmp_path, place):
    bench.program("writes:1", WRITES)
    (tmp_path / "out").mkdir()

    with pytest.raises(PackageError, match="SHARED_FOLDER_PATH]: expected a file of a volume"):
        bench.run(with_folder(place))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        *("/etc/passwd", "--out=/tmp/x", "a,/tmp/x", '{"file": "/tmp/x"}', "../x", "--out=a/../../x", "~/x", "~root/x"),
        *("file:///etc/passwd", "/data", "x;/bin/sh"),
    ],
)
def test_a_path_elsewhere_reaches_no_node(bench, text):
    with pytest.raises(PackageError, match="expected "):
        bench.run(workflow(container("main", "good:1", text)))
    assert not (bench.work / "logs").exists()


@pytest.mark.parametrize(
    "text",
    [
        *("http://localhost/x", "https://example.org", "http://user@127.0.0.1:5/"),
        *("example.org:80", "127.0.0.2:22", "--at=10.0.0.1:80", "[::1]:22", "http://[::1]:22/"),
    ],
)
def test_an_address_elsewhere_reaches_no_node(bench, text):
    with pytest.raises(PackageError, match="expected the address of a pod"):
        bench.run(workflow(container("main", "good:1", text)))


@pytest.mark.parametrize(
    "text", ["", "a/b", "1/2", "12:30", "text/plain", "x=1,y:2", "a..b", "--count=3", "{}", "slipway/x:1"]
)
def test_other_texts_are_handed_over(tmp_path, text):
    node_texts.check({"args": text}, folder=tmp_path, is_pod=lambda _: False)


def test_an_address_of_a_pod_is_handed_over(tmp_path):
    node_texts.check(
        {"args": "--at=http://127.0.0.1:5/x"}, folder=tmp_path, is_pod=lambda address: address == "127.0.0.1:5"
    )


@pytest.mark.parametrize("text", ["\0", "a\0b"])
def test_what_no_program_can_be_told_is_refused(bench, text):
    with pytest.raises(PackageError, match="without NUL"):
        bench.run(workflow(container("main", "good:1", text)))


def test_what_is_too_long_for_a_program_is_refused(bench):
    with pytest.raises(PackageError, match="main: expected shorter arguments"):
        bench.run(workflow(container("main", "good:1", "x" * 200_000)))
