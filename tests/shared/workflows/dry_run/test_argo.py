"""An Argo Workflow on this machine: order, conditions, daemons, sidecars, files, retries, deadlines, the exit handler."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest
from support.dry_runs import container, daemon, dag, processes_in, statuses, task, workflow

from shared import yamldump
from shared.workflows.dry_run import running
from shared.workflows.dry_run.options import Options

pytestmark = pytest.mark.conformance

TELL = "import os, sys, socket\nhost, _, port = sys.argv[1].rpartition(':')\nfor _ in range(200):\n    try:\n        print(socket.create_connection((host, int(port))).recv(99).decode()); break\n    except OSError:\n        __import__('time').sleep(0.02)\nelse:\n    sys.exit('nobody there')\n"
WRITE = "import sys; open(sys.argv[1], 'w').write('from ' + sys.argv[2])"
READ = "import sys; print(open(sys.argv[1]).read())"
COPY = "import sys; [open(each, 'w').write(open(sys.argv[1]).read() + ' again') for each in sys.argv[2:]]"


def test_tasks_run_in_their_order(bench):
    found = bench.run(
        workflow(dag(task("b", "one", "a"), task("a", "one"), task("c", "one", "a && b")), container("one"))
    )

    assert found.status == "Succeeded"
    assert [each.path for each in found.tasks] == ["main/a", "main/b", "main/c", "main"]


def test_what_depends_on_a_failure_runs_and_what_depends_on_success_does_not(bench):
    tasks = [task("a", "bad"), task("b", "good", "a"), task("c", "good", "a.Failed"), task("d", "good", "b || c")]
    found = bench.run(workflow(dag(*tasks), container("good"), container("bad", "bad:1")))

    assert statuses(found) == {
        "main/a": "Failed",
        "main/b": "Omitted",
        "main/c": "Succeeded",
        "main/d": "Omitted",
        "main": "Failed",
    }
    assert found.reason == "a: exit status 7: no luck"


def test_a_failure_that_was_foreseen_fails_nothing(bench):
    found = bench.run(
        workflow(dag(task("a", "bad"), task("c", "good", "!a.Succeeded")), container("good"), container("bad", "bad:1"))
    )

    assert found.status == "Succeeded"


def test_after_a_failure_nothing_else_is_begun_unless_the_graph_says_so(bench):
    tasks = [task("a", "bad"), task("w", "wait"), task("x", "good", "w")]
    bench.program("wait:1", "import time; time.sleep(1)")
    templates = [container("good"), container("bad", "bad:1"), container("wait", "wait:1")]

    assert statuses(bench.run(workflow(dag(*tasks), *templates)))["main/x"] == "Omitted"
    assert statuses(bench.run(workflow(dag(*tasks, failFast=False), *templates)))["main/x"] == "Succeeded"


def test_a_daemon_is_reached_by_its_address_and_ends_with_its_dag(bench):
    bench.program("tell:1", TELL)
    given = {"parameters": [{"name": "at", "value": "{{tasks.server.ip}}"}]}
    found = bench.run(
        workflow(
            dag(task("server", "server"), task("tell", "tell", "server", arguments=given)),
            daemon("server"),
            container("tell", "tell:1", "{{inputs.parameters.at}}:8061", inputs={"parameters": [{"name": "at"}]}),
        )
    )

    assert statuses(found) == {"main/server": "Daemoned", "main/tell": "Succeeded", "main": "Succeeded"}
    assert bench.log("main.tell") == "hello\n"
    assert processes_in(bench.work) == []


def test_a_daemon_that_dies_fails_its_scope(bench):
    bench.program(
        "dies:1",
        "import os, socket, time\ns = socket.create_server((os.environ['HOST'], int(os.environ['PORT'])))\ns.accept()\ntime.sleep(0.3)\nraise SystemExit('out of memory')",
    )
    bench.program("wait:1", "import time; time.sleep(1.2)")
    found = bench.run(
        workflow(
            dag(task("server", "server"), task("after", "wait", "server")),
            daemon("server", "dies:1"),
            container("wait", "wait:1"),
        )
    )

    assert (found.status, found.reason) == ("Failed", "server: it ended before its scope, exit status 1: out of memory")


def test_a_daemon_that_never_listens_is_said_to_be(bench):
    probe = {"tcpSocket": {"port": 8061}, "periodSeconds": 1, "failureThreshold": 1}
    silent = {"name": "silent", "daemon": True, "container": {"image": "slow:1", "readinessProbe": probe}}

    found = bench.run(workflow(dag(task("a", "silent")), silent))

    assert found.reason == "a: nobody listened on port 8061 within 1 s"


def test_a_sidecar_is_reached_on_localhost_and_ends_with_the_main_container(bench):
    bench.program("tell:1", TELL)
    sidecar = {"name": "node", "image": "listens:1", "env": [{"name": "WORD", "value": "beside"}]}
    found = bench.run(workflow(container("tell", "tell:1", "localhost:8061", sidecars=[sidecar])))

    assert found.status == "Succeeded"
    assert bench.log("tell") == "beside\n"
    assert processes_in(bench.work) == []


def test_artifacts_and_parameters_travel_as_files(bench):
    bench.program("write:1", WRITE)
    bench.program("read:1", READ)
    made = {
        "artifacts": [{"name": "text", "path": "/out/text.binpb", "archive": {"none": {}}}],
    }
    given = {
        "artifacts": [{"name": "got", "from": "{{tasks.w.outputs.artifacts.text}}"}],
        "parameters": [{"name": "who", "value": "{{workflow.parameters.who}}"}],
    }
    takes = {"artifacts": [{"name": "got", "path": "/in/got"}], "parameters": [{"name": "who"}]}
    found = bench.run(
        workflow(
            dag(task("w", "w"), task("r", "r", "w", arguments=given)),
            container("w", "write:1", "/out/text.binpb", "{{workflow.parameters.who}}", outputs=made),
            container("r", "read:1", "/in/got", "{{inputs.parameters.who}}", inputs=takes),
            arguments={"parameters": [{"name": "who", "value": "me"}]},
        ),
        parameters={"who": "you"},
    )

    assert found.status == "Succeeded"
    assert bench.log("main.r") == "from you\n"


def in_a_graph_of_its_own(outputs):
    """Return a workflow in which the middle one of three tasks is a graph of one task."""
    text = {"name": "text", "path": "/out/text", "archive": {"none": {}}}
    takes = {"artifacts": [{"name": "got", "path": "/in/got"}]}
    both = {**takes, "parameters": [{"name": "said"}]}
    said = {"parameters": [{"name": "said", "valueFrom": {"path": "/tmp/said"}}]}
    first = {"artifacts": [{"name": "got", "from": "{{tasks.w.outputs.artifacts.text}}"}]}
    handed = {"artifacts": [{"name": "got", "from": "{{inputs.artifacts.got}}"}]}
    given = {
        "artifacts": [{"name": "got", "from": "{{tasks.inner.outputs.artifacts.passed}}"}],
        "parameters": [{"name": "said", "value": "{{tasks.inner.outputs.parameters.said}}"}],
    }
    inner = {**dag(task("copy", "copy", arguments=handed)), "inputs": {"artifacts": [{"name": "got"}]}}
    return workflow(
        dag(task("w", "w"), task("inner", "inner", "w", arguments=first), task("r", "r", "inner", arguments=given)),
        {**inner, "name": "inner", "outputs": outputs},
        container("w", "write:1", "/out/text", "once", outputs={"artifacts": [text]}),
        container(
            "copy", "copy:1", "/in/got", "/out/text", "/tmp/said", inputs=takes, outputs={"artifacts": [text], **said}
        ),
        container("r", "both:1", "/in/got", "{{inputs.parameters.said}}", inputs=both),
    )


def test_a_graph_hands_on_what_it_is_given_and_gives_what_its_tasks_give(bench):
    bench.program("write:1", WRITE)
    bench.program("copy:1", COPY)
    bench.program("both:1", "import sys; print(open(sys.argv[1]).read(), sys.argv[2])")
    outputs = {
        "artifacts": [{"name": "passed", "from": "{{tasks.copy.outputs.artifacts.text}}"}],
        "parameters": [{"name": "said", "valueFrom": {"parameter": "{{tasks.copy.outputs.parameters.said}}"}}],
    }

    found = bench.run(in_a_graph_of_its_own(outputs))

    assert (found.status, found.reason) == ("Succeeded", "")
    assert bench.log("main.r") == "from once again from once again\n"


def test_a_graph_that_cannot_give_what_it_declares_is_an_error(bench):
    bench.program("write:1", WRITE)
    bench.program("copy:1", COPY)
    bench.program("both:1", READ)

    found = bench.run(
        in_a_graph_of_its_own({"artifacts": [{"name": "passed", "from": "{{tasks.w.outputs.artifacts.x}}"}]})
    )

    assert (found.status, found.reason) == ("Failed", "inner: there is no artifact x of w")


def test_a_file_that_was_not_written_is_an_error(bench):
    made = {"artifacts": [{"name": "text", "path": "/out/text"}]}

    found = bench.run(
        workflow(container("w", outputs={"artifacts": [{**made["artifacts"][0], "archive": {"none": {}}}]}))
    )

    assert (found.status, found.reason) == ("Error", "it wrote no file /out/text")


def test_a_parameter_comes_out_of_a_file(bench):
    bench.program("write:1", WRITE)
    out = {"parameters": [{"name": "digest", "valueFrom": {"path": "/tmp/digest"}}]}
    given = {"parameters": [{"name": "d", "value": "{{tasks.w.outputs.parameters.digest}}"}]}
    found = bench.run(
        workflow(
            dag(task("w", "w"), task("r", "r", "w", arguments=given)),
            container("w", "write:1", "/tmp/digest", "here", outputs=out),
            container("r", "good:1", "{{inputs.parameters.d}}", inputs={"parameters": [{"name": "d"}]}),
        )
    )

    assert found.status == "Succeeded"
    assert bench.log("main.r") == "done from here\n"


def test_claims_are_shared_and_config_maps_are_there(bench):
    bench.program("write:1", WRITE)
    bench.program("read:1", READ)
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "held"},
        "data": {"text": "{{not.a.tag}}"},
        "binaryData": {"raw": "AAE="},
    }
    volumes = [
        {"name": "claim", "persistentVolumeClaim": {"claimName": "shared"}},
        {"name": "config", "projected": {"sources": [{"configMap": {"name": "held"}}]}},
    ]
    w = container("w", "write:1", "/data/file", "claim")
    w["container"]["volumeMounts"] = [{"name": "claim", "mountPath": "/data"}]
    r = container("r", "read:1", "/data/file")
    r["container"]["volumeMounts"] = [{"name": "claim", "mountPath": "/data"}]
    c = container("c", "read:1", "/etc/config/text")
    c["container"]["volumeMounts"] = [{"name": "config", "mountPath": "/etc/config", "readOnly": True}]

    found = bench.run(
        workflow(dag(task("w", "w"), task("r", "r", "w"), task("c", "c", "w")), w, r, c, volumes=volumes), config
    )

    assert found.status == "Succeeded"
    assert (bench.log("main.r"), bench.log("main.c")) == ("from claim\n", "{{not.a.tag}}\n")


def test_a_task_is_tried_again_until_it_succeeds(bench):
    bench.program("third:1", "import os, sys\nn = len(os.listdir('.')); open(f'try-{n}', 'w')\nsys.exit(n < 3)")
    retry = {"limit": "5", "retryPolicy": "Always", "backoff": {"duration": "1h", "factor": 2, "cap": "300s"}}

    found = bench.run(workflow(container("t", "third:1", retryStrategy=retry)), longest_wait_seconds=0.01)

    assert (found.status, found.tasks[0].tries) == ("Succeeded", 3)


def test_the_tries_have_an_end(bench):
    retry = {"limit": 1, "backoff": {"duration": "0s"}}

    found = bench.run(workflow(container("t", "bad:1", retryStrategy=retry)))

    assert (found.status, found.tasks[0].tries) == ("Failed", 2)


def test_the_deadline_of_the_workflow_ends_everything_and_the_exit_handler_is_told(bench):
    found = bench.run(
        workflow(
            dag(task("server", "server"), task("slow", "slow", "server")),
            daemon("server"),
            container("slow", "slow:1"),
            container("end", "good:1", "{{workflow.status}}", "{{workflow.name}}"),
            activeDeadlineSeconds=1,
            onExit="end",
        )
    )

    assert (found.status, found.reason) == ("Failed", "the workflow did not end within 1 s")
    assert bench.log("onExit") == "done Failed tried\n"
    assert processes_in(bench.work) == []


def test_the_deadline_of_a_task_is_its_own(bench):
    found = bench.run(workflow(container("slow", "slow:1", activeDeadlineSeconds="0.3")))

    assert (found.status, found.reason) == ("Failed", "it did not end within 0.3 s")


def test_an_exit_handler_that_fails_fails_the_workflow(bench):
    found = bench.run(workflow(container("t"), container("end", "bad:1"), onExit="end"))

    assert (found.status, found.reason) == ("Failed", "the exit handler: exit status 7: no luck")


def test_steps_run_group_by_group(bench):
    steps = {"name": "main", "steps": [[task("a", "one"), task("b", "one")], [task("c", "one")]]}

    found = bench.run(workflow(steps, container("one")))

    assert [each.path for each in found.tasks][2:] == ["main/c", "main"]


def test_what_waits_for_a_person_is_resumed(bench):
    found = bench.run(workflow(dag(task("h", "hold")), {"name": "hold", "suspend": {}}), hold_seconds=0.01)

    assert found.status == "Succeeded"
    assert "main/h: holds; it is resumed after 0.01 s, as somebody would do" in bench.lines


def test_a_workflow_template_is_run_by_reference_and_a_schedule_is_told(bench):
    template = {**workflow(container("t")), "kind": "WorkflowTemplate", "metadata": {"name": "template"}}
    short = {**workflow(container("t")), "spec": {"workflowTemplateRef": {"name": "template"}}}
    cron = {**template, "kind": "CronWorkflow"}

    assert bench.run(short, template, cron).status == "Succeeded"
    assert bench.lines[0].startswith("CronWorkflow: ")


def test_a_killed_run_leaves_no_process(bench):
    document = workflow(
        dag(task("server", "server"), task("slow", "slow", "server")), daemon("server"), container("slow", "slow:1")
    )
    files = {"w.yaml": yamldump.dump(document)}
    work = bench.folder / "killed"
    work.mkdir()

    async def scenario() -> int:
        begun = asyncio.Event()
        say = lambda line: begun.set() if line == "main/slow: running" else None  # noqa: E731
        run = asyncio.ensure_future(running.dry_run(files, bench.programs(), work, Options(), say))
        await begun.wait()
        await asyncio.sleep(0.2)
        count = len(processes_in(work))
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        return count

    assert asyncio.run(scenario()) == 2
    assert processes_in(work) == []


def test_two_runs_at_once_do_not_meet(bench):
    bench.program("tell:1", TELL)
    sidecar = {"name": "node", "image": "listens:1", "env": [{"name": "WORD", "value": "{{workflow.parameters.word}}"}]}
    document = workflow(
        container("tell", "tell:1", "localhost:8061", sidecars=[sidecar]),
        arguments={"parameters": [{"name": "word", "value": "-"}]},
    )
    files = {"w.yaml": yamldump.dump(document)}

    async def scenario() -> None:
        runs = []
        for word in ("one", "two"):
            (bench.folder / word).mkdir()
            runs.append(
                running.dry_run(files, bench.programs(), bench.folder / word, Options({"word": word}), lambda _: None)
            )
        assert [found.status for found in await asyncio.gather(*runs)] == ["Succeeded", "Succeeded"]

    asyncio.run(scenario())
    assert [(bench.folder / word / "logs" / "tell.log").read_text() for word in ("one", "two")] == ["one\n", "two\n"]


def test_a_process_that_was_killed_is_a_failure_in_words(bench):
    bench.program("killed:1", f"import os; os.kill(os.getpid(), {signal.SIGKILL.value})")

    assert bench.run(workflow(container("t", "killed:1"))).reason == "killed by signal 9"


def test_names_from_outside_name_no_files_elsewhere(bench):
    sidecar = {"name": "../../../up", "image": "slow:1"}
    long = "x" * 300

    found = bench.run(workflow(dag(task(long, "../up")), container("../up", sidecars=[sidecar])))

    assert found.status == "Succeeded"
    assert sorted(path.name for path in bench.folder.iterdir()) == ["images.json", "programs", "run-1"]


def test_a_parameter_that_no_cluster_would_keep_is_an_error(bench):
    bench.program("large:1", "import sys; open(sys.argv[1], 'w').write('x' * 300_000)")
    out = {"parameters": [{"name": "much", "valueFrom": {"path": "/tmp/much"}}]}

    found = bench.run(workflow(container("t", "large:1", "/tmp/much", outputs=out)))

    assert (found.status, found.reason) == ("Error", "its output parameter much has more than 262144 bytes")


HEALTHY = f"""
import sys
sys.path[:0] = {sys.path!r}
import os
from concurrent.futures import ThreadPoolExecutor
import grpc
from grpc_health.v1 import health, health_pb2_grpc
server = grpc.server(ThreadPoolExecutor(1))
health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
server.add_insecure_port(os.environ["HOST"] + ":" + os.environ["PORT"])
server.start()
server.wait_for_termination()
"""
CLAIMS = """
import os, socket
held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    held.bind((os.environ["HOST"], int(os.environ["PORT"])))
    print("free")
except OSError:
    print("taken")
"""
ASKS = """
import socket, sys
host, port = sys.argv[1].rsplit(":", 1)
print(socket.create_connection((host, int(port))).recv(99).decode())
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {generateName: node-}
spec:
  clusterIP: None
  selector: {workflows.argoproj.io/workflow: "{{workflow.name}}", node: "{{inputs.parameters.node}}"}
  ports: [{port: 8061}]
"""


def test_a_service_of_the_workflow_leads_to_the_daemon_with_its_labels(bench):
    bench.program("asks:1", ASKS)
    named = {"parameters": [{"name": "address", "value": "{{tasks.names.outputs.parameters.name}}:8061"}]}
    node = {"parameters": [{"name": "node", "value": "b"}]}
    names = {
        "name": "names",
        "inputs": {"parameters": [{"name": "node"}]},
        "outputs": {"parameters": [{"name": "name", "valueFrom": {"jsonPath": "{.metadata.name}"}}]},
        "resource": {"action": "create", "setOwnerReference": True, "manifest": SERVICE},
    }
    daemons = [daemon(name, metadata={"labels": {"node": name}}) for name in ("a", "b")]
    for each in daemons:
        each["container"]["env"] = [{"name": "WORD", "value": f"I am {each['name']}"}]
    asks = container("asks", "asks:1", "{{inputs.parameters.address}}", inputs={"parameters": [{"name": "address"}]})
    tasks = dag(
        task("a", "a"),
        task("b", "b"),
        task("names", "names", arguments=node),
        task("asks", "asks", "a && b && names", arguments=named),
    )

    found = bench.run(workflow(tasks, names, *daemons, asks))

    assert (found.status, bench.log("main.asks")) == ("Succeeded", "I am b\n")


def test_a_health_probe_waits_until_the_server_says_that_it_serves(bench):
    bench.program("healthy:1", HEALTHY)
    made = daemon("d", "healthy:1")
    made["container"]["readinessProbe"] = {"grpc": {"port": 8061}, "periodSeconds": 1, "failureThreshold": 20}

    found = bench.run(workflow(dag(task("d", "d")), made))

    assert statuses(found)["main/d"] == "Daemoned"
    made["container"] |= {"image": "listens:1", "readinessProbe": {"grpc": {"port": 8061}, "failureThreshold": 0}}
    assert (
        bench.run(workflow(dag(task("d", "d")), made)).reason == "d: nobody said that it serves on port 8061 within 0 s"
    )


def test_the_ports_of_a_run_are_handed_out_to_nobody_else(bench):
    bench.program("claims:1", CLAIMS)

    found = bench.run(workflow(container("t", "claims:1")))

    assert (found.status, bench.log("t")) == ("Succeeded", "taken\n")
