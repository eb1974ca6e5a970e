"""A web page, a model and the orchestrator answer through their Services: from within the cluster, and from this machine."""

from __future__ import annotations

import json
import sys

from support.containers import call, run
from support.reaching import forwarded, node_port, python_in_pod
from support.running import Running

from shared.solution import GRPC_PORT, WEB_UI_PORT


def test_the_web_page_answers_through_its_service(sensor_stream: Running, images: dict[str, str]) -> None:
    sensor_stream.eventually("dashboard", "reading_shown", 3)

    answer = python_in_pod(
        sensor_stream.kubectl,
        images["slipway/sample-dashboard:1"],
        f"import urllib.request as u; print(u.urlopen('http://dashboardwebui:{WEB_UI_PORT}/readings.json', timeout=9).read().decode())",
    )

    numbers = [reading["number"] for reading in json.loads(answer)]
    assert len(numbers) >= 3
    assert numbers == [*range(numbers[0], numbers[-1] + 1)]


def test_the_web_page_is_seen_on_this_machine(sensor_stream: Running) -> None:
    with forwarded(sensor_stream.kubectl, "dashboardwebui", WEB_UI_PORT) as address:
        page = call("GET", f"http://{address}/")

    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"<title>Sensor stream</title>" in page.body


def test_the_web_page_is_seen_on_its_node_port(sensor_stream: Running) -> None:
    with node_port(sensor_stream.kubectl, "dashboardwebui") as address:
        page = call("GET", f"http://{address}/")

    assert page.status == 200


def test_the_model_answers_a_grpc_call_through_its_service(sentiment: Running, images: dict[str, str]) -> None:
    answer = python_in_pod(
        sentiment.kubectl,
        images["slipway/sample-sentiment:1"],
        "import grpc, sentiment_pb2 as messages, sentiment_pb2_grpc as services\n"
        "model = services.SentimentClassifierStub(grpc.insecure_channel('sentiment:8556'))\n"
        "for text in 'I love this phone', 'boring and awful', 'xyzzy':\n"
        "    print(model.classify(messages.Text(text=text), timeout=20, wait_for_ready=True).label)",
    )

    assert answer.split() == ["positive", "negative", "undecided"]


def test_graphenes_flow_runs_the_pipeline_on_the_node_port(calculator: Running) -> None:
    shown = len(calculator.eventually("printer", "results_shown", 10))
    client = calculator.folder / "orchestrator_client" / "orchestrator_client.py"

    with node_port(calculator.kubectl, "orchestrator") as address:
        ended = run(sys.executable, str(client), f"--endpoint={address}", f"--basepath={calculator.folder}", seconds=90)

    assert ended.status == 0, ended.output
    assert "run completed" in ended.output
    assert 'delivered="60"' in ended.output
    assert len(calculator.eventually("printer", "results_shown", shown + 10)) == shown + 10


def test_the_script_leaves_the_node_port_where_graphenes_playground_reads_it(calculator: Running) -> None:
    allocated = calculator.kubectl("get", "service", "orchestrator", "-o", "jsonpath={.spec.ports[0].nodePort}")

    entries = json.loads((calculator.folder / "dockerinfo.json").read_bytes())["docker_info_list"]

    assert {entry["container_name"]: entry["port"] for entry in entries} == {
        "numbers": "8556",
        "adder": "8556",
        "multiplier": "8556",
        "printer": "8556",
        "orchestrator": int(allocated),
    }


def test_the_script_starts_a_run_and_follows_it(calculator: Running) -> None:
    script = calculator.folder / "kubernetes-client-script.py"
    command = [sys.executable, str(script), "-n", calculator.kubectl.namespace, "--timeout", "60", "--run"]

    ended = run(*command, environment=calculator.kubectl.environment, seconds=120)

    assert ended.status == 0, ended.output
    assert "run completed" in ended.output
    assert f":{GRPC_PORT}" in ended.output
