"""Write `generated/` from `protos/`: `python -m shared.orchestration.regenerate`. Needs grpcio-tools, at development time only.

The Python that protoc itself writes refuses every protobuf runtime older than the protoc that wrote it. A bundle meets
whatever protobuf its user has, so the descriptors are protoc's and the few lines around them are ours: they run on
every protobuf from 3.20 and every grpcio from 1.50.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet, ServiceDescriptorProto

FOLDER = Path(__file__).parent
SOURCES = {"orchestrator": "orchestrator.proto", "control": "slipway/orchestrator/v1/control.proto"}
"""Module stem → proto."""

_HEADER = '"""Generated from {source} by shared/orchestration/regenerate.py; never edited by hand."""\n\n'
_MESSAGES = """from google.protobuf import descriptor_pool as _pool
from google.protobuf.internal import builder as _builder

DESCRIPTOR = _pool.Default().AddSerializedFile({descriptor!r})
_builder.BuildMessageAndEnumDescriptors(DESCRIPTOR, globals())
_builder.BuildTopDescriptorsAndMessages(DESCRIPTOR, __name__, globals())
"""
_IMPORTS = """import grpc

try:  # a module of a package here, a plain file beside this one in a bundle
    from . import {stem}_pb2 as _messages
except ImportError:
    import {stem}_pb2 as _messages

"""
_STUB_METHOD = """        self.{name} = channel.{kind}(
            "/{service}/{name}",
            request_serializer=_messages.{request}.SerializeToString,
            response_deserializer=_messages.{response}.FromString,
        )
"""
_SERVICER_METHOD = """
    def {name}(self, request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "{name} is not implemented")
"""
_HANDLER = """        "{name}": grpc.{kind}_rpc_method_handler(
            servicer.{name},
            request_deserializer=_messages.{request}.FromString,
            response_serializer=_messages.{response}.SerializeToString,
        ),
"""


def generate() -> dict[str, bytes]:
    """Return file name → content of everything in `generated/`, but its `__init__.py`."""
    files: dict[str, bytes] = {}
    for stem, source in SOURCES.items():
        with tempfile.TemporaryDirectory() as folder:
            proto = _compile(source, Path(folder))
            stub = Path(folder, source).with_name(f"{Path(source).stem}_pb2.pyi").read_bytes()
        header = _HEADER.format(source=source)
        descriptor = _MESSAGES.format(descriptor=proto.SerializeToString(deterministic=True))
        files[f"{stem}_pb2.py"] = (header + descriptor).encode()
        files[f"{stem}_pb2.pyi"] = stub
        files[f"{stem}_pb2_grpc.py"] = (header + _services(stem, proto)).encode()
    return files


def _compile(source: str, folder: Path) -> FileDescriptorProto:
    output = folder / "descriptors.bin"
    protos = FOLDER / "protos"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{protos}", f"--descriptor_set_out={output}"]
    subprocess.run([*command, f"--pyi_out={folder}", source], check=True, timeout=60)  # noqa: S603 our own protos
    proto = FileDescriptorSet.FromString(output.read_bytes()).file[0]
    proto.ClearField("source_code_info")
    return proto


def _services(stem: str, proto: FileDescriptorProto) -> str:
    return _IMPORTS.format(stem=stem) + "".join(_service(proto.package, service) for service in proto.service)


def _service(package: str, service: ServiceDescriptorProto) -> str:
    full_name = f"{package}.{service.name}" if package else service.name
    methods = [
        {
            "service": full_name,
            "name": method.name,
            "kind": f"unary_{'stream' if method.server_streaming else 'unary'}",
            "request": method.input_type.rpartition(".")[2],
            "response": method.output_type.rpartition(".")[2],
        }
        for method in service.method
    ]
    return (
        f"\nclass {service.name}Stub:\n    def __init__(self, channel):\n"
        + "".join(_STUB_METHOD.format(**method) for method in methods)
        + f"\n\nclass {service.name}Servicer:\n"
        + "".join(_SERVICER_METHOD.format(**method) for method in methods).removeprefix("\n")
        + f"\n\ndef add_{service.name}Servicer_to_server(servicer, server):\n    handlers = {{\n"
        + "".join(_HANDLER.format(**method) for method in methods)
        + f'    }}\n    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("{full_name}", handlers),))\n'
    )


def main() -> None:
    """Write the files."""
    for name, content in generate().items():
        (FOLDER / "generated" / name).write_bytes(content)


if __name__ == "__main__":
    main()
