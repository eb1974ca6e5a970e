"""`slipway-driver decode`: an artifact as JSON lines, by the descriptors that travel along."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TextIO

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError

from orchestrator.driver import artifacts, pipeline_folder
from orchestrator.driver.pipeline_folder import PipelineFolder
from orchestrator.settings import Settings
from shared.errors import InvalidRequestError, UsageError
from shared.findings import quoted
from shared.protobuf import Descriptors, message_class


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write one line per message on standard output."""
    folder = pipeline_folder.read(Path(arguments.pipeline))
    decode(Path(arguments.file), _message(folder, arguments.type), sys.stdout, most_bytes=settings.message_bytes)
    return 0


def decode(path: Path, message: Descriptor, target: TextIO, *, most_bytes: int) -> None:
    """Write the messages of an artifact as JSON, one a line; what they hold cannot end a line or move a cursor.

    Raises:
        InvalidRequestError: it is no artifact, or of another type.
    """
    kind = message_class(message)
    for number, content in enumerate(artifacts.read(path, most_bytes=most_bytes), 1):
        try:
            text = json_format.MessageToJson(kind.FromString(content), indent=None, ensure_ascii=True)
        except (DecodeError, json_format.Error) as problem:
            expected = f"messages {message.full_name}"
            raise InvalidRequestError(
                f"{path.name}: expected {expected}, found something else as message {number}"
            ) from problem
        target.write(text + "\n")


def _message(folder: PipelineFolder, text: str) -> Descriptor:
    """Return the type called MESSAGE or NODE:MESSAGE; short names will do where one type has it."""
    node, _, name = text.rpartition(":")
    found: dict[bytes, Descriptor] = {}
    known: set[str] = set()
    for owner, proto in folder.protos.items():
        if (node and owner != node) or not isinstance(proto, Descriptors):
            continue
        for message in (side for rpc in proto.rpcs for side in (rpc.input, rpc.output)):
            known.add(message.full_name)
            if name in {message.full_name, message.name}:
                found[_content(message)] = message
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise UsageError(f"--type: nodes declare {quoted(name)} differently: expected NODE:MESSAGE")
    raise UsageError(f"--type: expected one of {', '.join(sorted(known)) or 'no message at all'}, found {quoted(text)}")


def _content(message: Descriptor) -> bytes:
    from google.protobuf.descriptor_pb2 import DescriptorProto  # noqa: PLC0415 - nothing else here needs it

    copy = DescriptorProto()
    message.CopyToProto(copy)
    return message.full_name.encode() + b"\0" + copy.SerializeToString(deterministic=True)
