"""The Kubernetes programs, kwok and Flux, built once from the Go modules beside the cluster tests and kept outside the checkout.

`python tests/support/kubernetes_programs.py` builds what is missing and prints the folder. It needs Go and nothing else: no
C compiler, no Python package. The folder appears whole or not at all, so a build that was killed is simply begun again.
Kubernetes 1.34 is the newest whose kubelet starts on hosts with cgroup v1, and with a containerd as old as Debian's.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

MODULES = Path(__file__).parents[1] / "cluster" / "programs"
BUILT = ("kubernetes", "kwok", "flux")
INPUTS = tuple(f"{module}/{file}" for module in BUILT for file in ("go.mod", "go.sum"))
# Whose custom resources a cluster must know before Flux can work in it.
DEFINING = ("github.com/fluxcd/kustomize-controller@v1.7.3", "github.com/fluxcd/source-controller@v1.7.3")
DEFINITIONS = "flux-definitions"
LINKED = ("-s", "-w")  # without what only a debugger reads: half the size
# A server that does not know its version calls itself v0.0.0, and what looks at versions (kubectl, the script) goes astray.
STAMPED = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")


def kubernetes_version() -> str:
    """Return the release that go.mod requires, like 1.34.4."""
    required = (MODULES / "kubernetes" / "go.mod").read_text(encoding="utf-8")
    found = re.search(r"^\s*(?:require )?k8s\.io/kubernetes v(\S+)", required, re.MULTILINE)
    assert found, "tests/cluster/programs/kubernetes/go.mod requires no release of k8s.io/kubernetes"
    return found[1]


def folder() -> Path:
    """Return where the programs are once they are built; another release or another dependency is another folder."""
    recipe = (
        b"".join((MODULES / name).read_bytes() for name in INPUTS) + " ".join([*LINKED, *_stamps(), *DEFINING]).encode()
    )
    return cache() / f"kubernetes-{kubernetes_version()}-{hashlib.sha256(recipe).hexdigest()[:8]}"


def cache() -> Path:
    """Return where built programs stay."""
    own = os.environ.get("SLIPWAY_CACHE")
    return Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slipway"


def build() -> Path:
    """Build what is missing and return the folder; raises CalledProcessError or OSError where Go fails or is not there."""
    return build_once(folder(), _fill)


def build_once(built: Path, fill: Callable[[Path], None]) -> Path:
    """Let the folder appear whole, with what `fill` puts into it, unless it is there."""
    if built.is_dir():
        return built
    built.parent.mkdir(parents=True, exist_ok=True)
    with _alone(built.parent / "build.lock"):
        if not built.is_dir():
            _build_into(built, fill)
    return built


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # goes with the process, however that ends
        yield


def _build_into(built: Path, fill: Callable[[Path], None]) -> None:
    for left in built.parent.glob("unfinished-*"):  # by a build that was killed: nobody else builds now
        shutil.rmtree(left)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=built.parent))
    fill(unfinished)
    unfinished.chmod(0o755)
    unfinished.rename(built)


def _fill(target: Path) -> None:
    go_build(MODULES / "kubernetes", target, *_stamps())
    go_build(MODULES / "kwok", target)
    go_build(MODULES / "flux", target)
    _copy_definitions(target / DEFINITIONS)


def _stamps() -> list[str]:
    """Return what makes the linker write the version into the programs."""
    version = kubernetes_version()
    major, minor, _ = version.split(".", 2)
    values = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "archive"}
    return [f"-X {package}.{name}={value}" for package in STAMPED for name, value in values.items()]


def go_build(module: Path, target: Path, *stamps: str, flags: Sequence[str] = ()) -> None:
    """Build every command that the module's go.mod names as a tool."""
    linking = " ".join([*LINKED, *stamps])
    command = ["go", "build", "-o", f"{target}/", "-trimpath", "-ldflags", linking, *flags, "tool"]
    chosen = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
    subprocess.run(command, cwd=module, env=os.environ | chosen, check=True)


def _copy_definitions(target: Path) -> None:
    """Copy what describes Flux's custom resources to an API server: it lies in the modules, beside the programs."""
    target.mkdir()
    for module in DEFINING:
        told = subprocess.run(["go", "mod", "download", "-json", module], stdout=subprocess.PIPE, check=True).stdout
        for file in sorted(Path(json.loads(told)["Dir"]).glob("config/crd/bases/*.yaml")):
            (target / file.name).write_bytes(file.read_bytes())


def main() -> int:
    """Build, print the folder, and say on stderr how long it took."""
    start = time.monotonic()
    try:
        built = build()
    except (subprocess.CalledProcessError, OSError) as problem:
        sys.stderr.write(f"cannot build the Kubernetes programs (is Go there?): {problem}\n")
        return 1
    sys.stderr.write(f"Kubernetes {kubernetes_version()} is there after {time.monotonic() - start:.1f} s\n")
    sys.stdout.write(f"{built}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
