"""The same bundle as for any cluster, without what only somebody needs who applies it by hand.

A bundle's digest is part of a deployment's identity: a script that a newer Slipway writes anew must not make another
deployment of the same solution.
"""

from __future__ import annotations

from functools import partial

from shared.deployer import Deployer
from shared.kubernetes import generator
from shared.kubernetes.options import Options

NAME = "playground-deployer"

DEPLOYER = Deployer(
    name=NAME,
    title="Playground (run it now)",
    summary="A running pipeline on the playground: watch it, start and stop it, and look into it.",
    options=Options,
    generate=partial(generator.generate, deployer=NAME),
    load_files=dict,
)
