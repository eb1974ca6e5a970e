"""Puts one node together: its own files, those of `runtime/` and the Python that protoc makes of its proto.

The result is a folder that runs with `python node.py`. Images, `run.py` and the tests all use what this makes, so that
no generated code has to be kept, and none can be older than the protobuf it runs on.
"""

import argparse
import shutil
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

SAMPLES = Path(__file__).resolve().parent
WELL_KNOWN = files("grpc_tools") / "_proto"  # google/protobuf/empty.proto and its like
IGNORED = shutil.ignore_patterns("__pycache__", ".*")


def names() -> list[str]:
    """Return every node that has a program, as SAMPLE/NODE."""
    return sorted(f"{path.parts[-4]}/{path.parts[-2]}" for path in SAMPLES.glob("*/nodes/*/node.py"))


def assemble(name: str, target: Path) -> None:
    """Make `target` the runnable folder of the node `name`.

    Raises:
        FileExistsError: there is a `target` already; what is in it may be somebody's work.
        SystemExit: protoc refuses the proto; it has said why on standard error.
    """
    sample, _, node = name.partition("/")
    shutil.copytree(SAMPLES / sample / "nodes" / node, target, ignore=IGNORED)
    shutil.copytree(SAMPLES / "runtime", target, ignore=IGNORED, dirs_exist_ok=True)
    proto = SAMPLES / sample / "microservice" / f"{node}.proto"
    if proto.is_file():  # a job has no operations, hence no proto
        compile_proto(proto, target)


def compile_proto(proto: Path, target: Path) -> None:
    """Write `<name>_pb2.py` and `<name>_pb2_grpc.py`, and the types for editors and checkers, into `target`."""
    outputs = [f"--{kind}_out={target}" for kind in ("python", "grpc_python", "pyi")]
    if protoc.main(["protoc", f"-I{proto.parent}", f"-I{WELL_KNOWN}", *outputs, proto.name]) != 0:
        raise SystemExit(f"{proto}: protoc refuses it")


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("name", metavar="SAMPLE/NODE", choices=names(), help=", ".join(names()))
    parser.add_argument("target", metavar="FOLDER", type=Path, help="must not exist yet")
    arguments = parser.parse_args()
    assemble(arguments.name, arguments.target)


if __name__ == "__main__":
    main()
