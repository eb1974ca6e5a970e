# ruff: noqa: INP001 - a program that lies beside nothing else
"""Runs before the services of docker-compose.yml: makes the secret that joins them, and says where the catalog keeps solutions.

That is S3 where the profile `s3` has started a server, a folder where not. Doing it again changes nothing.
"""

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

from slipway.platform import development_secret

SECRETS = Path("/secrets")
STORE = SECRETS / "store"  # what SLIPWAY_CATALOG_STORE_FILE names
BUCKET = "solutions"


def main() -> str | None:
    """Return what is wrong, or None when the catalog can start."""
    development_secret(SECRETS)
    has_s3 = is_running("s3")
    wanted = f"s3://{BUCKET}" if has_s3 else "folder:/data"
    found = STORE.read_text(encoding="utf-8") if STORE.exists() else wanted
    # A catalog reads this when it starts: one that runs would change sides at its next start, unasked.
    if found != wanted and is_running("catalog"):
        return f"the catalog keeps solutions in {found}; run `docker compose down` before you change to {wanted}"
    if has_s3:
        make_bucket()
    draft = STORE.with_suffix(".new")
    draft.write_text(wanted, encoding="utf-8")
    draft.replace(STORE)
    sys.stdout.write(f"solutions are kept in {wanted}\n")
    return None


def is_running(service: str) -> bool:
    """Answer whether a container of that service runs beside this one. The dot keeps the machine's own domain out of it."""
    try:
        return bool(socket.getaddrinfo(f"{service}.", None))
    except socket.gaierror:
        return False


def make_bucket() -> None:
    """Make the bucket, unless it is there."""
    import boto3  # noqa: PLC0415 - takes a third of a second, in vain where there is no S3
    from botocore.config import Config  # noqa: PLC0415

    endpoint = os.environ["SLIPWAY_S3_ENDPOINT"]
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=Config(proxies={}))
    with suppress(client.exceptions.BucketAlreadyOwnedByYou):
        client.create_bucket(Bucket=BUCKET)


if __name__ == "__main__":
    sys.exit(main())
