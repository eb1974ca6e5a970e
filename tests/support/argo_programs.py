"""Argo's own lint, controller and executor, built once from its Go module and kept beside the Kubernetes programs.

`PYTHONPATH=tests python -m support.argo_programs` builds what is missing and prints the folder. It needs Go and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from support import kubernetes_programs
from support.kubernetes_programs import MODULES, cache, go_build

MODULE = MODULES / "argo"
INPUTS = ("go.mod", "go.sum", "argo-lint/main.go")
UPSTREAM = "github.com/argoproj/argo-workflows/v3"
# A symbolic link of the repository, which no Go module can hold; without it the executor builds for no Linux.
LINK = "workflow/executor/osspecific/signal_linux.go"
LINKED = "workflow/executor/osspecific/signal_darwin.go"


def lint() -> Path:
    """Return what does what `argo lint --offline` does; raises as `build`."""
    return build() / "argo-lint"


def controller() -> Path:
    """Return the controller that carries out workflows; raises as `build`."""
    return build() / "workflow-controller"


def executor() -> Path:
    """Return what runs in every pod of a workflow; raises as `build`."""
    return build() / "argoexec"


def build() -> Path:
    """Build what is missing and return the folder; raises CalledProcessError or OSError where Go fails or is not there."""
    recipe = b"".join((MODULE / name).read_bytes() for name in INPUTS) + f"{LINK} {LINKED}".encode()
    return kubernetes_programs.build_once(cache() / f"argo-{hashlib.sha256(recipe).hexdigest()[:8]}", _fill)


def _fill(target: Path) -> None:
    with tempfile.TemporaryDirectory() as desk:
        go_build(MODULE, target, flags=_linked(Path(desk)))


def _linked(desk: Path) -> list[str]:
    """Return what lets Go find Argo's module in a folder that is there for this build alone: as it came, with the link."""
    told = subprocess.run(
        ["go", "mod", "download", "-json", UPSTREAM], cwd=MODULE, stdout=subprocess.PIPE, check=True
    ).stdout
    source, place = Path(json.loads(told)["Dir"]), desk / "argo"
    files = {path.relative_to(source): path for path in source.rglob("*") if path.suffix == ".go"}
    files |= {Path("go.mod"): source / "go.mod", Path(LINK): source / LINKED}
    overlay = {str(place / name): str(path) for name, path in files.items()}
    (desk / "overlay.json").write_text(json.dumps({"Replace": overlay}), encoding="utf-8")
    required = (MODULE / "go.mod").read_text(encoding="utf-8")
    (desk / "go.mod").write_text(f'{required}\nreplace {UPSTREAM} => "{place}"\n', encoding="utf-8")
    (desk / "go.sum").write_bytes((MODULE / "go.sum").read_bytes())
    return [f"-modfile={desk}/go.mod", f"-overlay={desk}/overlay.json"]


def main() -> int:
    """Build, print the folder, and say on stderr how long it took."""
    start = time.monotonic()
    try:
        built = build()
    except (subprocess.CalledProcessError, OSError) as problem:
        sys.stderr.write(f"cannot build Argo's programs (is Go there?): {problem}\n")
        return 1
    sys.stderr.write(f"Argo is there after {time.monotonic() - start:.1f} s\n")
    sys.stdout.write(f"{built}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
