"""The command lines of the driver, `slipway-driver`: the one place that knows them. Emitters call, nobody else writes them.

Every value stands in the same argument as its option (`--wait=60`), so that none can be taken for another option.
An edge is named by its other end, `NODE.OPERATION`: of `--in` where the messages come from, of `--out` where they go.
Both are a label and the name of an rpc, so no text of a blueprint stands in an argument. A sink has no `--out`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

PROGRAM = "slipway-driver"
"""On the path of the orchestrator's image."""
DIGEST_DIGITS = 32


def call(
    *,
    pipeline: str,
    node: str,
    operation: str,
    target: str | None,
    inputs: Sequence[tuple[str, str]] = (),
    outputs: Sequence[tuple[str, str]] = (),
    wait: str | None = None,
    timeout: str | None = None,
    iterations: str | None = None,
    digest: str | None = None,
    digested: Sequence[tuple[str, str]] = (),
    end_sidecar: bool = False,
) -> list[str]:
    """Call one operation: with each message of the artifacts in `inputs`, or, of a source, `iterations` times.

    Args:
        pipeline: folder with the pipeline's files.
        node: whose operation.
        operation: name of the rpc.
        target: `host:port`; None for a splitter or collator, which has no process: the driver does its work.
        inputs: (edge, file) of what arrives, in the order in which it is taken.
        outputs: (edge, file) of what goes out.
        wait: seconds until the target must answer.
        timeout: seconds for the whole call.
        iterations: how often a source is called; `0`: until it has no more.
        digest: file for `DIGEST_DIGITS` hexadecimal digits over all outputs, by which a later task knows them again.
        digested: (name, value) of what else the digest depends on.
        end_sidecar: tell the process at `target` to end afterwards, where nothing else does.
    """
    arguments = [PROGRAM, "call", f"--pipeline={pipeline}", f"--node={node}", f"--operation={operation}"]
    arguments += _given(target=target)
    arguments += [f"--in={edge}={file}" for edge, file in inputs]
    arguments += [f"--out={edge}={file}" for edge, file in outputs]
    arguments += _given(wait=wait, timeout=timeout, iterations=iterations, digest=digest)
    arguments += [f"--digest-with={name}={value}" for name, value in digested]
    return [*arguments, "--end-sidecar"] if end_sidecar else arguments


def run(
    *,
    pipeline: str,
    nodes: Mapping[str, str] | None = None,
    endpoints: str | None = None,
    wait: str | None = None,
    timeout: str | None = None,
    duration: str | None = None,
    iterations: str | None = None,
    report: str | None = None,
) -> list[str]:
    """Run the whole graph against nodes that are there, until it completes or has run for as long as is wanted.

    Args:
        pipeline: folder with the pipeline's files.
        nodes: node → `host:port`.
        endpoints: file that says the same, as `deploy` writes it.
        wait: seconds until all of them must answer.
        timeout: seconds after which the run is stopped, and has failed.
        duration: seconds after which it is stopped, and has succeeded; `0`: it has to complete.
        iterations: how often each source is called; `0`: until it has no more.
        report: file for what came of it, as JSON.
    """
    arguments = [PROGRAM, "run", f"--pipeline={pipeline}"]
    arguments += [f"--node={node}={address}" for node, address in (nodes or {}).items()]
    return arguments + _given(
        endpoints=endpoints, wait=wait, timeout=timeout, duration=duration, iterations=iterations, report=report
    )


def deploy(
    *, bundle: str, name: str, namespace: str, owner: str | None, endpoint_file: str, timeout: str | None = None
) -> list[str]:
    """Apply the manifests in the folder `bundle` (every `*.yaml`, put together from its pieces) and wait for them.

    Args:
        bundle: folder with the manifests.
        name: of the release: what `teardown` is told.
        namespace: where to.
        owner: `KIND/NAME/UID` of the workflow, without which nothing of it stays.
        endpoint_file: where the addresses go, as JSON: node → `host:port`.
        timeout: seconds until all of it must be ready.
    """
    arguments = [PROGRAM, "deploy", f"--bundle={bundle}", f"--name={name}", f"--namespace={namespace}"]
    return arguments + _given(owner=owner, endpoint_file=endpoint_file, timeout=timeout)


def teardown(*, name: str, namespace: str, data: bool = False) -> list[str]:
    """Remove what `deploy` has made; with `data`, its claims too. Done twice, it finds nothing the second time."""
    arguments = [PROGRAM, "teardown", f"--name={name}", f"--namespace={namespace}"]
    return [*arguments, "--data"] if data else arguments


def hold(*, timeout: str | None = None) -> list[str]:
    """Wait, for an engine without a task that does: `timeout` seconds, or until a signal."""
    return [PROGRAM, "hold", *_given(timeout=timeout)]


def report(*, status: str, name: str | None = None, to: str | None = None) -> list[str]:
    """Tell how the workflow ended, in the log and, if wanted, to a file or an address."""
    return [PROGRAM, "report", f"--status={status}", *_given(name=name, to=to)]


def _given(**options: str | None) -> list[str]:
    return [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if value is not None]
