"""Which addresses are told: those that answer, else the port-forward that always works."""

from __future__ import annotations

import json

import pytest
from support.finishing_desk import made, service

from shared.finishing.addresses import addresses, machines_of, node_port, with_orchestrator_port

Object = dict[str, object]


def found_service(
    name: str, port: int, *, node_port: int | None = None, component: str = "node", **status: object
) -> Object:
    """Return a Service as the API server filled it in."""
    kind = "webui" if name.endswith("webui") else "mc-api"
    ports = {"name": kind, "port": port, **({"nodePort": node_port} if node_port else {})}
    labels = {"app.kubernetes.io/component": component}
    return {**made("Service", name, {"ports": [ports]}, **labels), "status": {"loadBalancer": status}}


def urls(*objects: Object, answering: set[tuple[str, int, bool]] = frozenset(), hosts: tuple[str, ...] = ("10.0.0.5",)):
    """Return the URL of each Service for people when these (host, port, is web) answer."""
    found = addresses(
        list(objects),
        namespace="demo",
        hosts=list(hosts),
        answers=lambda host, port, *, web: (host, port, web) in answering,
    )
    return {address.service: address.url for address in found}


def test_a_node_port_is_told_where_somebody_answers():
    objects = [
        found_service("orchestrator", 8061, node_port=31001, component="orchestrator"),
        found_service("awebui", 8062, node_port=31002),
        found_service("bwebui", 8062, node_port=31003),
    ]

    assert urls(*objects, answering={("10.0.0.5", 31001, False), ("10.0.0.5", 31002, True)}) == {
        "orchestrator": "10.0.0.5:31001",
        "awebui": "http://10.0.0.5:31002/",
        "bwebui": "",
    }


def test_the_first_host_that_answers_is_told_and_an_ipv6_address_gets_brackets():
    orchestrator = found_service("orchestrator", 8061, node_port=31001, component="orchestrator")

    assert urls(orchestrator, hosts=("10.0.0.5", "fd00::5"), answering={("fd00::5", 31001, False)}) == {
        "orchestrator": "[fd00::5]:31001"
    }


def test_every_address_has_the_port_forward_that_always_works():
    (address,) = addresses([found_service("awebui", 8062)], namespace="demo", hosts=[], answers=lambda *_, **__: True)

    assert (address.url, address.forward) == ("", "kubectl port-forward -n demo service/awebui 8062:8062")


def test_nodes_of_a_pipeline_are_not_for_people_but_a_model_is():
    model = found_service("model", 8556, component="model")

    assert list(urls(found_service("a", 8556), found_service("awebui", 8062), model)) == ["awebui", "model"]


@pytest.mark.parametrize(("tls", "url"), [(None, "http://gui.example.org/"), ([{}], "https://gui.example.org/")])
def test_an_ingress_that_a_controller_took_on_comes_first(tls: object, url: str):
    spec = {"rules": [{"host": "gui.example.org"}], **({"tls": tls} if tls else {})}
    ingress = {**made("Ingress", "awebui", spec), "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    web_ui = found_service("awebui", 8062, node_port=31002)

    assert urls(web_ui, ingress, answering={("10.0.0.5", 31002, True)}) == {"awebui": url}


def test_an_ingress_that_nobody_took_on_leads_nowhere():
    ingress = made("Ingress", "awebui", {"rules": [{"host": "gui.example.org"}]})

    assert urls(found_service("awebui", 8062), ingress) == {"awebui": ""}


def test_a_load_balancer_has_an_address_of_its_own():
    balanced = found_service("awebui", 8062, node_port=31002, ingress=[{"hostname": "lb.example.org"}])

    assert urls(balanced) == {"awebui": "http://lb.example.org:8062/"}


def test_the_node_port_of_a_service_is_the_one_of_its_first_port():
    assert node_port([found_service("orchestrator", 8061, node_port=31001)], "orchestrator") == 31001
    assert node_port([service()], "orchestrator") is None
    assert node_port([], "orchestrator") is None


def test_machines_are_those_that_run_the_pods():
    pods = [{"status": {"hostIP": ip}} if ip else {"status": {}} for ip in ("10.0.0.7", "10.0.0.5", "10.0.0.7", "")]

    assert machines_of(pods) == ["10.0.0.5", "10.0.0.7"]


def test_only_the_orchestrator_gets_its_port_and_unknown_keys_stay():
    names = [{"container_name": name, "ip_address": name, "port": "8556", "more": 1} for name in ("a", "orchestrator")]

    changed = json.loads(with_orchestrator_port(json.dumps({"docker_info_list": names, "x": []}), 31001))

    assert changed == {"docker_info_list": [names[0], {**names[1], "port": 31001}], "x": []}
