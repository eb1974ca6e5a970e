"""Real packages of both engines in which one value is something else: they are refused, or they are understood."""

from __future__ import annotations

import dataclasses

import pytest
from support.broken_packages import broken
from support.bundles import sample_options
from support.solutions import IMAGES, ROOT, read

from services.argo.generate import DEPLOYER as ARGO
from services.kubeflow.generate import DEPLOYER as KUBEFLOW
from shared.deployer import Assets
from shared.workflows.dry_run import package, running
from shared.workflows.dry_run.machine import Machine
from shared.workflows.dry_run.options import Options
from shared.workflows.dry_run.outcome import PackageError
from shared.workflows.dry_run.pods import Pods
from shared.workflows.dry_run.programs import Programs, Stand

STAND = Stand(("never",), ROOT, frozenset())


class AnyProgram(dict[str, Stand]):
    """A table with a program for every image: none is started here."""

    def __contains__(self, image: object) -> bool:
        return isinstance(image, str)

    def __missing__(self, image: str) -> Stand:
        return STAND


def emitted(deployer, sample, **options):
    """Return the package of a sample."""
    chosen = deployer.parse_options({**sample_options(sample), **options})
    return package.read(deployer.build(read(ROOT / "samples" / sample), chosen, Assets({}, IMAGES)).files)


@pytest.fixture
def pods(tmp_path):
    with Machine(tmp_path) as machine:
        yield Pods(machine, Programs(AnyProgram()), lambda _: None, secrets={}, hold_seconds=0)


def verdict(found, pods):
    """Return whether a package would be run, or is refused."""
    try:
        running.made(found, pods, Options())
    except PackageError:
        return "refused"
    return "run"


@pytest.mark.parametrize(
    ("deployer", "document", "sample", "options"),
    [
        (ARGO, "workflow", "calculator", {"mode": "steps"}),
        (ARGO, "workflow", "word-count", {"mode": "services"}),
        (KUBEFLOW, "pipeline", "calculator", {"mode": "steps", "release": "2.18"}),
        (KUBEFLOW, "platform", "calculator", {"mode": "steps", "release": "2.18"}),
        (KUBEFLOW, "pipeline", "word-count", {"mode": "services"}),
    ],
)
def test_a_value_of_another_form_is_refused_and_nothing_worse(pods, deployer, document, sample, options):
    found = emitted(deployer, sample, **options)
    whole = getattr(found, document)

    verdicts = {verdict(dataclasses.replace(found, **{document: each}), pods) for each in broken(whole, every=3)}

    assert verdict(found, pods) == "run"
    assert verdicts == {"run", "refused"}
