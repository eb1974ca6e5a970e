# ruff: noqa: INP001 - a program that lies beside nothing else
"""Uploads every sample to the catalog beside which it runs, as `make demo` does; doing it twice changes nothing."""

import os
import sys
from pathlib import Path

from shared.errors import SlipwayError
from slipway import samples
from slipway.client import Client
from slipway.platform import Platform, Service

SECRETS = Path("/secrets")
CATALOG = Service("catalog", "services.catalog", port=8080, metrics_port=9090)


def main() -> None:
    """Upload them for everybody who may sign in, and say where they are to be seen."""
    client = Client(Platform(SECRETS, (CATALOG,)))
    for name, sample in samples.samples().items():
        client.upload(samples.revision(name), sample.files, public=True)
        sys.stdout.write(f"uploaded {name}\n")
    # The browser is outside, where the port may be another.
    link = client.page_link().replace(CATALOG.url, os.environ["SLIPWAY_PAGE"])
    sys.stdout.write(f"The page, signed in for you, within a minute: {link}\n")


if __name__ == "__main__":
    try:
        main()
    except SlipwayError as problem:
        sys.exit(str(problem))
