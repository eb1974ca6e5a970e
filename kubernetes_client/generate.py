"""The first deployer: a `solution.zip` for any Kubernetes cluster, which is the bundle of `shared.kubernetes` as it is."""

from __future__ import annotations

from kubernetes_client.files import load_files
from shared.bundle import Bundle
from shared.deployer import Assets, Deployer
from shared.kubernetes import generator
from shared.kubernetes.options import Options
from shared.solution import Solution

NAME = "kubernetes-client"


def generate(solution: Solution, options: Options, assets: Assets) -> Bundle:
    """Return the bundle.

    Raises:
        InvalidOptionsError: the options do not fit the solution.
    """
    return generator.generate(solution, options, assets, deployer=NAME)


DEPLOYER = Deployer(
    name=NAME,
    title="Kubernetes (solution.zip)",
    summary="A bundle for any Kubernetes cluster: apply it with its script, with kubectl alone, or through GitOps.",
    options=Options,
    generate=generate,
    load_files=load_files,
)
