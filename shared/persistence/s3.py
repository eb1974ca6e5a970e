"""A store in an S3 bucket, or in any service that speaks its protocol with conditional writes.

The credentials come from the usual chain of boto3 (environment, files, the machine's role). A reader needs `s3:GetObject`
and `s3:ListBucket`: without the latter a missing object looks like a forbidden one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from shared.deadline import Deadline
from shared.errors import TooLargeError, UpstreamError, UpstreamTimeoutError
from shared.persistence.calls import Calls
from shared.persistence.store import checked_key

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client

PARALLEL = 32
CONNECT_SECONDS = 3
READ_SECONDS = 5
TRIES = 3
ONE_SECONDS = 10.0  # for one object, or one listing
ALL_SECONDS = 20.0  # for all objects of a revision together
CHECK_SECONDS = 2.0
FALLBACK_REGION = "us-east-1"  # services of one's own have no regions, but the signature wants one
CHUNK_BYTES = 64 * 1024

_ABSENT = {"NoSuchKey", "404"}
_TAKEN = {"PreconditionFailed", "412"}
_BUSY = {"ConditionalRequestConflict", "409"}
_CODE = re.compile(r"[A-Za-z0-9.]{1,64}")


class S3Store:
    """A store below a prefix of a bucket."""

    name = "s3"

    def __init__(
        self, bucket: str, prefix: str, *, endpoint_url: str | None = None, ca_file: Path | None = None
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            bucket: its name.
            prefix: where keys begin, without a slash at either end; may be empty.
            endpoint_url: of a service of one's own, then asked by path; AWS when left out.
            ca_file: authorities (PEM) that may vouch for the service, in place of the public ones.
        """
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._endpoint_url = endpoint_url
        self._ca_file = ca_file
        self._making = Lock()
        self._client: S3Client | None = None
        self._calls = Calls(self.name, threads=PARALLEL)

    def get(self, key: str, *, most_bytes: int) -> bytes | None:
        """Return the content of an object; see `Store.get`."""
        with self._calls.batch(Deadline.after(ONE_SECONDS)) as batch:
            return batch.result(batch.start(self._get, key, most_bytes))

    def get_all(self, wanted: Mapping[str, int]) -> dict[str, bytes | None]:
        """Return the objects, fetched at the same time; see `Store.get_all`."""
        with self._calls.batch(Deadline.after(ALL_SECONDS)) as batch:
            started = {key: batch.start(self._get, key, most_bytes) for key, most_bytes in wanted.items()}
            return {key: batch.result(future) for key, future in started.items()}

    def put_new(self, key: str, data: bytes) -> bool:
        """Create an object under the condition that there is none; see `Store.put_new`."""
        with self._calls.batch(Deadline.after(ONE_SECONDS)) as batch:
            return batch.result(batch.start(self._put, key, data))

    def put_all(self, files: Mapping[str, bytes]) -> None:
        """Create the objects at the same time."""
        with self._calls.batch(Deadline.after(ALL_SECONDS)) as batch:
            for future in [batch.start(self._put, key, data) for key, data in files.items()]:
                batch.result(future)

    def keys(self, prefix: str) -> dict[str, int]:
        """Return the objects below a folder; see `Store.keys`."""
        with self._calls.batch(Deadline.after(ALL_SECONDS)) as batch:
            return batch.result(batch.start(self._keys, prefix))

    def check(self) -> None:
        """Ask for an object that needs not exist: an error would come all the same."""
        with self._calls.batch(Deadline.after(CHECK_SECONDS)) as batch:
            batch.result(batch.start(self._get, "check", CHUNK_BYTES))

    def close(self) -> None:
        """Free threads and connections."""
        self._calls.close()
        if self._client is not None:
            self._client.close()

    def _get(self, key: str, most_bytes: int) -> bytes | None:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - see `_make`

        with self._reporting():
            try:
                answer = self._made().get_object(Bucket=self._bucket, Key=self._prefix + checked_key(key))
            except ClientError as problem:
                if _code(problem) in _ABSENT:
                    return None
                raise
            with closing(answer["Body"]) as body:
                data = bytearray()
                for chunk in body.iter_chunks(CHUNK_BYTES):
                    data += chunk
                    if len(data) > most_bytes:
                        raise TooLargeError(
                            f"{self.name}: expected an object of at most {most_bytes} bytes, found more"
                        )
        return bytes(data)

    def _put(self, key: str, data: bytes) -> bool:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - see `_make`

        tried = 0
        with self._reporting():
            while True:
                tried += 1
                try:
                    self._made().put_object(
                        Bucket=self._bucket, Key=self._prefix + checked_key(key), Body=data, IfNoneMatch="*"
                    )
                except ClientError as problem:
                    if _code(problem) in _TAKEN:
                        return False
                    if _code(problem) not in _BUSY or tried == TRIES:
                        raise
                else:
                    return True

    def _keys(self, prefix: str) -> dict[str, int]:
        with self._reporting():
            pages = (
                self._made()
                .get_paginator("list_objects_v2")
                .paginate(Bucket=self._bucket, Prefix=self._prefix + prefix)
            )
            found = [entry for page in pages for entry in page.get("Contents", [])]
        # A key that ends in a slash is what browsers of buckets make of an empty folder.
        files = {entry["Key"].removeprefix(self._prefix): entry["Size"] for entry in found if entry["Key"][-1] != "/"}
        return dict(sorted(files.items()))

    def _made(self) -> S3Client:
        """Return the client, which threads may share, made when it is first wanted."""
        with self._making:
            if self._client is None:
                self._client = self._make()
            return self._client

    def _make(self) -> S3Client:
        # boto3 takes a third of a second to import: only those who use it pay.
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        session = boto3.session.Session()
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": TRIES, "mode": "standard"},
            max_pool_connections=PARALLEL,
            proxies={},  # none: not even those of the environment
            s3={"addressing_style": "path" if self._endpoint_url else "auto"},
            # Only what AWS asks for: other services stumble over the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return session.client(
            "s3",
            endpoint_url=self._endpoint_url,
            region_name=session.region_name or FALLBACK_REGION,
            verify=str(self._ca_file) if self._ca_file else None,
            config=config,
        )

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        """Turn the library's errors into ours: a class word, nothing that the service sent."""
        from botocore import exceptions as botocore  # noqa: PLC0415 - see `_make`

        try:
            yield
        except botocore.ClientError as problem:
            raise UpstreamError(self.name, f"refused: {_code(problem)}") from problem
        except (botocore.ConnectTimeoutError, botocore.ReadTimeoutError) as problem:
            raise UpstreamTimeoutError(self.name, "timeout: the service did not answer in time") from problem
        except (botocore.BotoCoreError, botocore.HTTPClientError) as problem:
            raise UpstreamError(self.name, f"failed: {type(problem).__name__}") from problem


def _code(problem: ClientError) -> str:
    """Return the word by which the service names its refusal, if it looks like one."""
    code = str(problem.response.get("Error", {}).get("Code", ""))
    return code if _CODE.fullmatch(code) else "unknown"
