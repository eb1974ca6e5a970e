"""The same bundle as for any cluster, without what only somebody needs who applies it by hand.

A bundle's digest is part of a deployment's identity: a script that a newer Slipway writes anew must not make another
deployment of the same solution.
"""

from __future__ import annotations

from shared.bundle import Bundle
from shared.deployer import Assets, Deployer
from shared.kubernetes import generator
from shared.kubernetes.options import Options
from shared.solution import Solution

NAME = "playground-deployer"


def generate(solution: Solution, options: Options, assets: Assets) -> Bundle:
    """Return the bundle.

    Raises:
        InvalidOptionsError: the options do not fit the solution.
    """
    return generator.generate(solution, options, assets, deployer=NAME)


DEPLOYER = Deployer(
    name=NAME,
    title="Playground",
    summary="A running pipeline on the playground: watch it, start and stop it, and look into it.",
    options=Options,
    generate=generate,
    load_files=dict,
)
