"""Command lines of the driver: complete, and without a value that could be taken for an option."""

from __future__ import annotations

from shared.workflows import driver_calls


def test_a_call_names_its_edges_by_their_other_ends():
    assert driver_calls.call(
        pipeline="/p",
        node="add",
        operation="sum",
        target="localhost:8061",
        inputs=[("a.run", "/in/a"), ("b.run", "/in/b")],
        outputs=[("show.run", "/out/s")],
        wait="60",
        timeout="0",
    ) == [
        "slipway-driver",
        "call",
        "--pipeline=/p",
        "--node=add",
        "--operation=sum",
        "--target=localhost:8061",
        "--in=a.run=/in/a",
        "--in=b.run=/in/b",
        "--out=show.run=/out/s",
        "--wait=60",
        "--timeout=0",
    ]


def test_a_splitter_has_no_target():
    call = driver_calls.call(pipeline="/p", node="s", operation="split", target=None, digest="/d", end_sidecar=True)

    assert call[2:] == ["--pipeline=/p", "--node=s", "--operation=split", "--digest=/d", "--end-sidecar"]


def test_a_run_names_every_node():
    assert driver_calls.run(pipeline="/p", nodes={"a": "1.2.3.4:8061"}, duration="9", iterations="3", report="/r") == [
        "slipway-driver",
        "run",
        "--pipeline=/p",
        "--node=a=1.2.3.4:8061",
        "--duration=9",
        "--iterations=3",
        "--report=/r",
    ]


def test_a_deployment_belongs_to_its_workflow():
    assert driver_calls.deploy(
        bundle="/b", name="r", namespace="n", owner="Workflow/w/u", endpoint_file="/e", timeout="9"
    )[2:] == ["--bundle=/b", "--name=r", "--namespace=n", "--owner=Workflow/w/u", "--endpoint-file=/e", "--timeout=9"]


def test_data_goes_on_request_only():
    assert "--data" not in driver_calls.teardown(name="r", namespace="n")
    assert "--data" in driver_calls.teardown(name="r", namespace="n", data=True)


def test_a_report_may_go_somewhere():
    assert driver_calls.report(status="Failed", name="w", to="/t")[1:] == [
        "report",
        "--status=Failed",
        "--name=w",
        "--to=/t",
    ]
