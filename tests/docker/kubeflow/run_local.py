"""Runs a package with Kubeflow's own SDK on the Docker engine: `PACKAGE FILES NETWORK SOCKET PARAMETERS`. Its log says how each task ended."""

import json
import sys
from pathlib import Path

from docker.types import Mount
from kfp import components, local

package, files, network, engine, parameters = sys.argv[1:]
HERE = Path(__file__).resolve().parent
mounts = [
    Mount("/stand-in", str(HERE), type="bind", read_only=True),
    Mount("/etc/slipway", f"{files}/etc/slipway", type="bind", read_only=True),
    Mount("/run/docker.sock", engine, type="bind"),
]
runner = local.DockerRunner(
    network=network,
    mounts=mounts,
    entrypoint=["/usr/bin/env"],  # the image has one of its own, which Kubeflow never asks
    user="0:0",  # the engine's socket, and artifacts in a folder of whoever runs the test
    remove=True,
    environment={"NETWORK": network, "PATH": "/stand-in:/app/bin:/usr/local/bin:/usr/bin:/bin"},
)
local.init(runner=runner, pipeline_root=str(Path(files).parent / "root"), raise_on_error=False)
components.load_component_from_file(package)(**json.loads(parameters))
