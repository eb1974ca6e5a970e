"""What of a bundle may run in a cluster."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundles import built, of_samples
from support.graphs import graph

from playground.runtime.kubernetes import admission, fields
from playground.runtime.kubernetes.admission import Admitted, Rules
from playground.runtime.kubernetes.isolation import Borders
from shared.errors import InvalidSolutionError
from shared.solution import Ids, RevisionId, SolutionId

BORDERS = Borders("playground", (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("10.0.0.0/8")), True)
RULES = Rules(("registry.example.org", "docker.io/slipway", "registry.example.org:5000"), False, BORDERS)
IDS = Ids(SolutionId("s1"), RevisionId("r1"))


def workload(kind: str = "Deployment", **pod: Any) -> dict[str, Any]:
    container = {"name": "a", "image": "registry.example.org/a:1", **pod.pop("container", {})}
    return {
        "apiVersion": "apps/v1" if kind == "Deployment" else "batch/v1",
        "kind": kind,
        "metadata": {"name": "a"},
        "spec": {"template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container], **pod}}},
    }


def admit(*objects: Any, rules: Rules = RULES) -> Admitted:
    files = {f"deployments/{at}.yaml": yaml.safe_dump(each).encode() for at, each in enumerate(objects)}
    return admission.admitted(files, "A solution", IDS, rules)


def refusals(*objects: Any, rules: Rules = RULES) -> list[str]:
    with pytest.raises(InvalidSolutionError) as refused:
        admit(*objects, rules=rules)
    return [finding.found for finding in refused.value.findings.errors]


def pod_of(admitted: Admitted) -> dict[str, Any]:
    pod: dict[str, Any] = admitted.workloads[0]["spec"]["template"]["spec"]
    return pod


def thing(version: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, **more}


@pytest.mark.parametrize(
    ("foreign", "told"),
    [
        (thing("rbac.authorization.k8s.io/v1", "ClusterRole", rules=[]), "ClusterRole/x: kind"),
        (thing("rbac.authorization.k8s.io/v1", "RoleBinding"), "RoleBinding/x: kind"),
        (thing("v1", "Namespace"), "Namespace/x: kind"),
        (thing("v1", "PersistentVolume"), "PersistentVolume/x: kind"),
        (thing("v1", "Secret", data={}), "Secret/x: kind"),
        (thing("v1", "Pod"), "Pod/x: kind"),
        (thing("v1", "ResourceQuota"), "ResourceQuota/x: kind"),
        (thing("apps/v1", "DaemonSet"), "DaemonSet/x: kind"),
        (thing("apiextensions.k8s.io/v1", "CustomResourceDefinition"), "CustomResourceDefinition/x: kind"),
        (thing("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"), "MutatingWebhookConfiguration/x:"),
        (thing("v1", "List", items=[]), "List/x: kind"),
        (thing("example.org/v1", "Deployment"), 'kind "Deployment" of "example.org/v1"'),
        (thing("v1", "Service", spec={"externalIPs": ["1.2.3.4"]}), 'field "spec.externalIPs"'),
        (thing("v1", "Service", spec={"type": "LoadBalancer"}), 'type "LoadBalancer"'),
        (thing("v1", "Service", spec={"type": "ExternalName", "externalName": "x.org"}), 'field "spec.externalName"'),
        (thing("v1", "PersistentVolumeClaim", spec={"volumeName": "of-others"}), 'field "spec.volumeName"'),
        (thing("v1", "PersistentVolumeClaim", spec={"dataSource": {"name": "y"}}), 'field "spec.dataSource"'),
        (thing("v1", "ServiceAccount", secrets=[{"name": "y"}]), 'field "secrets"'),
        (thing("v1", "ConfigMap", immutable=True), 'field "immutable"'),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "slipway-x"}}, "a name that begins with"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "../x"}}, "no name"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "finalizers": ["y"]}}, "finalizers"),
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "ownerReferences": []}},
            "ownerReferences",
        ),
        (thing("v1", "ConfigMap", data={"when": __import__("datetime").date(2020, 1, 1)}), 'field "data"'),
        (thing("v1", "ConfigMap", data=["x"]), 'field "data"'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_listed_is_refused_by_its_name(foreign: dict[str, Any], told: str) -> None:
    (found,) = refusals(workload(), foreign)

    assert told in found


@pytest.mark.parametrize(
    ("pod", "told"),
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"hostPID": True}, "hostPID"),
        ({"nodeName": "n"}, "nodeName"),
        ({"priorityClassName": "system-node-critical"}, "priorityClassName"),
        ({"runtimeClassName": "x"}, "runtimeClassName"),
        ({"hostAliases": []}, "hostAliases"),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, "hostPath"),
        ({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}, "secret"),
        ({"volumes": [{"name": "v", "csi": {"driver": "d"}}]}, "csi"),
        ({"volumes": [{"name": "v"}]}, 'volume "v"'),
        ({"volumes": [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {}}]}}]}, "serviceAccountToken"),
        ({"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "s"}}]}}]}, "sources[0].secret"),
        ({"volumes": [None]}, "volumes[0]"),
        ({"securityContext": {"sysctls": []}}, "sysctls"),
        ({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, "seccompProfile"),
        ({"tolerations": [{"operator": "Exists"}]}, "a toleration of everything"),
        ({"tolerations": [{"key": "node-role.kubernetes.io/control-plane"}]}, "a toleration of"),
        ({"terminationGracePeriodSeconds": 86400}, "terminationGracePeriodSeconds"),
        ({"container": {"securityContext": {"privileged": True}}}, "privileged of container"),
        ({"container": {"securityContext": {"allowPrivilegeEscalation": True}}}, "allowPrivilegeEscalation of"),
        ({"container": {"securityContext": {"procMount": "Unmasked"}}}, "procMount"),
        ({"container": {"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}}, 'capability "SYS_ADMIN"'),
        ({"container": {"env": [{"name": "V", "valueFrom": {"secretKeyRef": {"name": "s"}}}]}}, "secretKeyRef"),
        (
            {"container": {"env": [{"name": "V", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}]}},
            'variable "V"',
        ),
        ({"container": {"envFrom": [{"secretRef": {"name": "s"}}]}}, "secretRef"),
        ({"container": {"ports": [{"containerPort": 1, "hostPort": 1}]}}, "hostPort"),
        ({"container": {"volumeDevices": []}}, "volumeDevices"),
        (
            {"container": {"volumeMounts": [{"name": "v", "mountPath": "/", "mountPropagation": "Bidirectional"}]}},
            "mountPropagation",
        ),
        ({"container": {"readinessProbe": {"httpGet": {"port": 1, "host": "169.254.169.254"}}}}, "host"),
        ({"container": {"lifecycle": {}}}, "lifecycle"),
        ({"ephemeralContainers": []}, "ephemeralContainers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_what_reaches_out_of_a_pod_is_refused(kind: str, pod: dict[str, Any], told: str) -> None:
    (found,) = refusals(workload(kind, **pod))

    assert told in found
    assert f"{kind}/a" in found


@pytest.mark.parametrize(
    "image",
    [
        "evil.example.org/a:1",
        "registry.example.org.evil.org/a",
        "registry.example.org@evil.org/a",
        "slipwayx/a:1",
        "a:1",
        "docker.io/a",
        "registry.example.org/A",
        "registry.example.org/a\n",
        "",
    ],
)
def test_an_image_from_elsewhere_is_refused_by_its_name(image: str) -> None:
    (found,) = refusals(workload(container={"image": image}))

    assert image.strip() in found
    assert 'container "a" in Deployment/a' in found


@pytest.mark.parametrize("image", ["registry.example.org/a/b:1", "slipway/a:1", "docker.io/slipway/a"])
def test_an_image_of_a_registry_that_is_allowed_runs(image: str) -> None:
    admitted = admit(workload(container={"image": image}))

    assert pod_of(admitted)["containers"][0]["image"] == image


def test_without_registries_no_image_runs() -> None:
    (found,) = refusals(workload(), rules=Rules((), False, BORDERS))

    assert "registry.example.org/a:1" in found


def test_images_of_init_containers_count_too() -> None:
    (found,) = refusals(workload(initContainers=[{"name": "i", "image": "evil.example.org/i"}]))

    assert "evil.example.org/i" in found


def test_the_namespace_that_an_object_names_is_left_out() -> None:
    made = workload()
    made["metadata"]["namespace"] = "kube-system"

    assert "namespace" not in admit(made).objects[0]["metadata"]


def test_pods_get_no_token_and_no_secret_of_their_own_choice() -> None:
    admitted = admit(workload(automountServiceAccountToken=True, imagePullSecrets=[{"name": "of-others"}]))

    pod = pod_of(admitted)
    assert pod["automountServiceAccountToken"] is False
    assert "imagePullSecrets" not in pod
    assert [finding.code for finding in admitted.findings] == ["pull-secret-left-out"]


def test_a_pod_that_says_nothing_is_hardened() -> None:
    pod = pod_of(admit(workload()))

    assert pod["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["NET_RAW"]},
    }


@pytest.mark.parametrize(
    ("resources", "limit"),
    [
        ({"requests": {"memory": "4Gi"}}, "4Gi"),
        ({"requests": {"memory": "256Mi"}}, None),
        ({"requests": {"memory": "4Gi"}, "limits": {"memory": "8Gi"}}, "8Gi"),
        ({"requests": {"memory": "odd"}}, None),
    ],
)
def test_a_limit_of_memory_is_never_below_what_is_asked_for(resources: dict[str, Any], limit: str | None) -> None:
    pod = pod_of(admit(workload(container={"resources": resources})))

    assert pod["containers"][0]["resources"].get("limits", {}).get("memory") == limit


def test_annotations_that_may_command_something_are_left_out_with_a_finding() -> None:
    made = workload()
    made["metadata"]["annotations"] = {"example.org/inject": "yes", "slipway.dev/pipeline-digest": "d"}

    admitted = admit(made)

    assert admitted.objects[0]["metadata"]["annotations"] == {"slipway.dev/pipeline-digest": "d"}
    assert [finding.found for finding in admitted.findings] == ['"example.org/inject"']


def test_graphenes_legacies_are_put_right_with_findings() -> None:
    old = workload(
        volumes=[{"name": "logs", "hostPath": {"path": "/var/acumos/log"}}],
        imagePullSecrets=[{"name": "acumos-registry"}],
    )
    service = thing(
        "v1", "Service", spec={"type": "NodePort", "ports": [{"name": "n", "port": 8556, "nodePort": 30556}]}
    )

    admitted = admit(old, service)

    assert pod_of(admitted)["volumes"] == [{"name": "logs", "emptyDir": {}}]
    assert admitted.objects[1]["spec"] == {"type": "ClusterIP", "ports": [{"name": "n", "port": 8556}]}
    assert [finding.code for finding in admitted.findings] == [
        "legacy-host-path",
        "legacy-pull-secret",
        "legacy-node-port",
        "node-port-left-out",
    ]


def test_an_ingress_is_left_out_with_a_finding() -> None:
    admitted = admit(workload(), thing("networking.k8s.io/v1", "Ingress", spec={"rules": [{"host": "bank.example"}]}))

    assert [each["kind"] for each in admitted.objects] == ["Deployment"]
    assert [finding.code for finding in admitted.findings] == ["ingress-left-out"]


def test_objects_of_others_get_the_labels_that_pruning_goes_by() -> None:
    labels = admit(workload()).objects[0]["metadata"]["labels"]

    assert labels["app.kubernetes.io/managed-by"] == "slipway"
    assert labels["app.kubernetes.io/instance"].startswith("a-solution-")
    assert labels["slipway.dev/solution-id"] == "s1"


def test_an_object_twice_is_refused() -> None:
    (found,) = refusals(workload(), workload())

    assert "twice" in found


def test_a_bundle_without_anything_to_run_is_refused() -> None:
    assert refusals(thing("v1", "ConfigMap")) == ["none"]


@pytest.mark.parametrize(
    "text",
    [
        b"a: &x [1]\nb: *x\n",
        b"[" * 40 + b"]" * 40,
        b"a: !!python/object:os.system x",
        b"a: 2020-99-99",
        b"- just\n- a list\n",
        b"\xff\xfe\x00",
        b"a: [",
    ],
)
def test_odd_yaml_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidSolutionError):
        admission.admitted({"deployments/a.yaml": text}, "s", IDS, RULES)


def test_a_flood_of_events_is_refused() -> None:
    with pytest.raises(InvalidSolutionError):
        admission.admitted({"deployments/a.yaml": b"[" + b"1," * 450_000 + b"]"}, "s", IDS, RULES)


def test_bundles_of_the_samples_and_of_graphs_may_run() -> None:
    named = [*of_samples(), *((str(seed), built(graph(seed).files, {})) for seed in range(5))]
    rules = Rules(("registry.example.org:5000", "docker.io", "registry.example.org:7444", "ghcr.io"), False, BORDERS)

    found = [admission.admitted(bundle.sealed, name, IDS, rules) for name, bundle in named]

    assert all(one.workloads for one in found)
    assert {finding.code for one in found for finding in one.findings} <= {"node-port-left-out"}


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
_FIELDS = st.sampled_from(
    sorted(
        {
            *(
                "spec",
                "template",
                "metadata",
                "containers",
                "initContainers",
                "volumes",
                "env",
                "valueFrom",
                "hostPath",
            ),
            *("securityContext", "capabilities", "add", "drop", "privileged", "tolerations", "annotations", "labels"),
            *("resources", "requests", "imagePullSecrets", "ports", "name", "image", "projected", "sources", "ingress"),
            *("egress", "from", "to", "ipBlock", "cidr", "type", "selector", "matchLabels", "data", "readinessProbe"),
        }
    )
)
_HOSTILE = st.recursive(
    _ANYTHING,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_FIELDS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=80, deadline=None)
@given(kind=st.sampled_from(sorted(fields.KINDS)), spec=_HOSTILE, pod=_HOSTILE)
def test_whatever_stands_in_a_manifest_only_listed_fields_come_out(kind: tuple[str, str], spec: Any, pod: Any) -> None:
    hostile = {"apiVersion": kind[0], "kind": kind[1], "metadata": {"name": "x"}, "spec": spec}
    other = workload()
    other["spec"]["template"]["spec"] |= pod if isinstance(pod, dict) else {"volumes": pod}
    files = {
        "deployments/1.yaml": yaml.safe_dump(hostile).encode(),
        "deployments/2.yaml": yaml.safe_dump(other).encode(),
    }

    try:
        admitted = admission.admitted(files, "s", IDS, RULES)
    except InvalidSolutionError:
        return

    for each in admitted.objects:
        assert list(fields.excess(each, fields.KINDS[each["apiVersion"], each["kind"]])) == []
    for each in admitted.workloads:
        assert each["spec"]["template"]["spec"]["automountServiceAccountToken"] is False
