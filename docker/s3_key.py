# ruff: noqa: INP001 - a program that lies beside nothing else
"""Runs before the S3 server of docker-compose.yml: makes, once, the key that it and the catalog share.

The volume of its objects is mounted here for its owner's sake: a new one takes it from this image, whatever the server's has.
"""

import os
import secrets
from pathlib import Path

FILE = Path("/secrets/credentials")  # what AWS_SHARED_CREDENTIALS_FILE names
SECRET_BYTES = 30


def main() -> None:
    """Write it in the form that every AWS library reads."""
    if FILE.exists():
        return
    os.umask(0o077)
    draft = FILE.with_suffix(".new")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    draft.write_text(f"[default]\naws_access_key_id = slipway\naws_secret_access_key = {secret}\n", encoding="ascii")
    draft.replace(FILE)


if __name__ == "__main__":
    main()
