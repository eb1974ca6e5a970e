"""What the playground reads of real pods: logs over restarts and replacements, a shared folder of root's, forwarded ports."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import pytest
from lightkube import Client, KubeConfig
from support.cluster import Kubectl
from support.images import ORCHESTRATOR

from playground.runtime.deployment import Address, DeploymentId
from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.logs import Logs
from playground.runtime.kubernetes.objects import ContainerStatus
from playground.runtime.kubernetes.reach import Reach
from playground.runtime.kubernetes.shared_folder import SharedFolders
from shared.errors import InvalidRequestError, NotFoundError, TooLargeError, UnavailableError

SECONDS = 90.0
# Answers on a port so that it becomes ready, counts, and fails; once it is started again it goes on for ever.
COUNTER = """\
import os, socket, sys, threading, time
server = socket.create_server(("0.0.0.0", 8061))
def answer():
    while True:
        connection, _ = server.accept()
        connection.sendall(connection.recv(100).upper())
        connection.close()
threading.Thread(target=answer, daemon=True).start()
for number in range(int(sys.argv[1])):
    print(os.environ["HOSTNAME"], number, flush=True)
    time.sleep(0.2)
if os.path.exists("/state/again"):
    time.sleep(1000)
open("/state/again", "w")
sys.exit(3)
"""


pytestmark = pytest.mark.usefixtures("real_node")


@dataclass(frozen=True, slots=True)
class Place:
    """The namespace of a deployment, and who looks at it."""

    kubectl: Kubectl
    client: Client
    cache: Cache
    installation: str
    image: str

    @property
    def name(self) -> str:
        return self.kubectl.namespace

    def run(self, lines: int, *, replicas: int = 1) -> None:
        """Run a node, and wait until the cache knows it."""
        self.kubectl.create(counter(self.image, self.installation, lines, replicas))
        eventually(lambda: self.cache.workloads(self.name))

    def statuses(self) -> list[ContainerStatus]:
        return [status for pod in self.cache.pods(self.name) for status in pod.status.container_statuses]


@pytest.fixture
def place(
    cluster: Kubectl, new_namespace: Callable[..., Kubectl], images: Mapping[str, str], test_run: str
) -> Iterator[Place]:
    client = Client(KubeConfig.from_file(cluster.environment["KUBECONFIG"]).get())
    installation = f"{test_run}-{time.monotonic_ns()}"
    kubectl = new_namespace(**{"slipway.dev/playground": installation})
    cache = Cache(client, installation=installation)
    cache.start()
    yield Place(kubectl, client, cache, installation, images[ORCHESTRATOR])
    cache.close()
    client.close()


@pytest.fixture
def logs(place: Place) -> Iterator[Logs]:
    made = Logs(place.client, place.cache)
    yield made
    made.close()


def labelled(name: str, installation: str, **more: str) -> dict[str, Any]:
    return {"name": name, "labels": {"slipway.dev/playground": installation, "app": name, **more}}


def counter(image: str, installation: str, lines: int, replicas: int) -> dict[str, Any]:
    container = {
        "name": "counter",
        "image": image,
        "command": ["python3", "-c", COUNTER, str(lines)],
        "readinessProbe": {"tcpSocket": {"port": 8061}, "periodSeconds": 1},
        "volumeMounts": [{"name": "state", "mountPath": "/state"}],
        "securityContext": {"runAsUser": 0},
    }
    volumes = [{"name": "state", "emptyDir": {}}]
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "counter"}},
        "template": {
            "metadata": {"labels": labelled("counter", installation)["labels"]},
            "spec": {"containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": 0},
        },
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": labelled("counter", installation), "spec": spec}


def eventually(found: Callable[[], Any]) -> Any:
    end = time.monotonic() + SECONDS
    while not (value := found()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return value


def test_a_follower_sees_every_line_once_over_a_restart_and_a_replacement(place: Place, logs: Logs) -> None:
    place.run(10)
    follower = logs.lines(place.name, "counter", follow=True, since_seconds=None, tail=1000)
    seen = (line.decode().split() for line in follower if line)

    before = list(islice(seen, 20))
    place.kubectl("delete", "pod", "-l", "app=counter", "--wait=false")
    after = next(line for line in seen if line[0] != before[0][0])
    follower.close()

    assert [int(number) for _, number in before] == [*range(10), *range(10)]
    assert len({pod for pod, _ in before}) == 1
    assert after[1] == "0"


def test_what_a_container_wrote_before_its_restart_stands_first(place: Place, logs: Logs) -> None:
    def whole(tail: int = 1000) -> list[int]:
        lines = logs.lines(place.name, "counter", follow=False, since_seconds=None, tail=tail)
        return [int(line.split()[1]) for line in lines]

    place.run(3)
    eventually(lambda: any(status.restart_count for status in place.statuses()))

    assert eventually(lambda: whole() if len(whole()) == 6 else None) == [0, 1, 2, 0, 1, 2]
    assert whole(tail=2) == [1, 2]
    with pytest.raises(NotFoundError):
        logs.lines(place.name, "nobody", follow=True, since_seconds=None, tail=1)


def test_a_follower_who_wants_no_history_gets_only_what_is_new(place: Place, logs: Logs) -> None:
    place.run(1000)
    eventually(lambda: any(status.state.running for status in place.statuses()))
    read = partial(logs.lines, place.name, "counter", since_seconds=None)
    eventually(lambda: len(list(read(follow=False, tail=9))) == 9)

    follower = read(follow=True, tail=0)
    first = next(int(line.split()[1]) for line in follower if line)
    follower.close()

    assert first >= 9


def test_a_quiet_follower_is_asked_every_second_whether_somebody_listens(place: Place, logs: Logs) -> None:
    place.run(3, replicas=0)
    began = time.monotonic()

    pieces = list(islice(logs.lines(place.name, "counter", follow=True, since_seconds=None, tail=5), 2))

    assert pieces == [b"", b""]
    assert 1.9 < time.monotonic() - began < 8


def test_a_service_is_reached_from_outside_and_only_while_it_is_up(place: Place) -> None:
    spec = {"selector": {"app": "counter"}, "ports": [{"port": 80, "targetPort": 8061}]}
    metadata = labelled("counterwebui", place.installation)
    place.kubectl.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    eventually(lambda: place.cache.services(place.name))
    reach, inside = (Reach(place.client, place.cache, is_inside=is_inside) for is_inside in (False, True))
    with pytest.raises(UnavailableError):
        reach.web_ui(place.name, "counter")
    with pytest.raises(NotFoundError):
        reach.orchestrator(place.name)
    place.run(1000)
    eventually(lambda: any(status.ready for status in place.statuses()))

    address = eventually(lambda: _reached(reach, place))

    for _ in range(3):
        with socket.create_connection((address.host, address.port), timeout=10) as connection:
            connection.sendall(b"hello")
            assert connection.recv(100) == b"HELLO"
            assert connection.recv(100) == b""
    assert inside.web_ui(place.name, "counter") == Address(f"counterwebui.{place.name}.svc", 80)
    reach.close()
    inside.close()


def _reached(reach: Reach, place: Place) -> Address | None:
    try:
        return reach.web_ui(place.name, "counter")
    except UnavailableError:
        return None


@pytest.fixture
def folders(place: Place) -> Iterator[SharedFolders]:
    """Return what opens the folder of a deployment whose claim is a volume that belongs to root alone."""
    place.kubectl.create(claim(place.installation))
    eventually(lambda: place.cache.claims(place.name))
    made = SharedFolders(place.client, place.cache, installation=place.installation, image=place.image, idle_seconds=20)
    yield made
    made.close()


def claim(installation: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "5Mi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": labelled("shared-folder", installation),
        "spec": spec,
    }


def test_a_shared_folder_is_written_listed_read_and_emptied(folders: SharedFolders, place: Place) -> None:
    folder = folders.of(DeploymentId(place.name))
    large = bytes(range(256)) * 8192

    folder.write("a/b/new.txt", iter([b"one ", b"two"]))
    folder.write("large.bin", iter([large[:1000], large[1000:]]))
    folder.write("large.bin", iter([large]))
    folder.write("empty", iter([]))

    assert b"".join(folder.read("a/b/new.txt")) == b"one two"
    assert b"".join(folder.read("large.bin")) == large
    assert b"".join(folder.read("empty")) == b""
    assert [(one.name, one.size, one.is_folder) for one in folder.entries("")] == [
        ("a", 0, True),
        ("empty", 0, False),
        ("large.bin", len(large), False),
    ]
    folder.remove("a")
    folder.remove("large.bin")
    assert [one.name for one in folder.entries("/")] == ["empty"]
    pods = place.cache.pods(place.name)
    assert [pod.metadata.labels["slipway.dev/playground-part"] for pod in pods] == ["shared-folder-helper"]


def test_what_leaves_a_shared_folder_or_does_not_fit_is_refused_and_leaves_nothing(
    folders: SharedFolders, place: Place
) -> None:
    folder = folders.of(DeploymentId(place.name))
    folder.write("kept.txt", iter([b"kept"]))
    pod = json.loads(place.kubectl("get", "pods", "-o", "json"))["items"][0]["metadata"]["name"]
    place.kubectl("exec", pod, "--", "ln", "-s", "/etc", "/shared/link")
    place.kubectl("exec", pod, "--", "ln", "-s", "/etc/passwd", "/shared/file-link")

    for path in ("../x", "/etc/passwd", "a/../../x", "a//b", "link/passwd", "file-link", "a\0b", "", "kept.txt/x"):
        with pytest.raises(InvalidRequestError):
            folder.read(path)
    for path in ("../x", "link/new", "", "kept.txt/x"):
        with pytest.raises(InvalidRequestError):
            folder.write(path, iter([b"x"]))
    with pytest.raises(TooLargeError):
        folder.write("huge", (bytes(1 << 20) for _ in range(64)))
    with pytest.raises(ZeroDivisionError):
        folder.write("broken-off", (bytes(1 // (5 - number)) for number in range(9)))
    for path in ("nothing", "nothing/here"):
        with pytest.raises(NotFoundError):
            folder.read(path)
        with pytest.raises(NotFoundError):
            folder.remove(path)
    folder.remove("link")

    def left() -> list[str]:
        return place.kubectl("exec", pod, "--", "ls", "-A", "/shared").split()

    eventually(lambda: left() == ["file-link", "kept.txt"])
    assert [one.name for one in folder.entries("")] == ["kept.txt"]


def test_the_pod_behind_a_folder_is_restricted_ends_when_idle_and_comes_again(
    folders: SharedFolders, place: Place
) -> None:
    folder = folders.of(DeploymentId(place.name))
    folder.write("kept.txt", iter([b"kept"]))
    (first,) = place.cache.pods(place.name)
    user = place.kubectl("exec", first.metadata.name, "--", "id").strip()
    eventually(lambda: place.cache.pods(place.name)[0].status.phase == "Succeeded")
    folders.tidy(DeploymentId(place.name))
    eventually(lambda: not place.cache.pods(place.name))

    assert user.startswith("uid=10001")
    assert b"".join(folder.read("kept.txt")) == b"kept"


def test_a_deployment_without_a_claim_has_no_folder(folders: SharedFolders) -> None:
    with pytest.raises(NotFoundError):
        folders.of(DeploymentId("no-such-deployment"))
