"""Descriptors that travel: every node finds its own, whatever others call theirs."""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from support.solutions import pipeline

from shared.workflows import descriptors
from shared.workflows.described import Described

IMAGE = b'syntax = "proto3"; package model; message Image { bytes data = 1; }\n'
OTHER = b'syntax = "proto3"; package model; message Image { string path = 1; }\n'
TIMED = b"""syntax = "proto3";
import "google/protobuf/timestamp.proto";
import "shared.proto";
message Timed { google.protobuf.Timestamp at = 1; model.Image image = 2; }
"""


def described(**protos: bytes) -> Described:
    return descriptors.describe(pipeline("a", "b", protos=protos))


def test_nodes_that_declare_a_name_differently_do_not_meet():
    found = FileDescriptorSet.FromString(described(a=IMAGE, b=OTHER).content)

    assert {file.name: file.message_type[0].field[0].name for file in found.file} == {
        "a/main.proto": "data",
        "b/main.proto": "path",
    }


def test_imports_lie_beside_what_imports_them_and_google_s_once():
    found = FileDescriptorSet.FromString(described(a=TIMED, b=TIMED, shared=IMAGE).content)
    names = [file.name for file in found.file]

    assert sorted(names) == [
        "a/main.proto",
        "a/shared.proto",
        "b/main.proto",
        "b/shared.proto",
        "google/protobuf/timestamp.proto",
    ]


def test_the_files_of_a_node_make_a_pool_in_the_order_in_which_they_stand():
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(described(a=TIMED, shared=IMAGE).content).file:
        pool.AddSerializedFile(file.SerializeToString())

    fields = pool.FindMessageTypeByName("Timed").fields_by_name
    assert fields["image"].message_type.full_name == "model.Image"


def test_the_same_protos_give_the_same_bytes():
    assert described(a=TIMED, shared=IMAGE).content == described(a=TIMED, shared=IMAGE).content


def test_a_proto_that_does_not_compile_is_a_warning():
    made = described(a=b"nonsense", b=OTHER)

    assert [(finding.code, finding.path) for finding in made.findings] == [
        ("proto-not-compiled", "microservice/a.proto")
    ]
    assert [file.name for file in FileDescriptorSet.FromString(made.content).file] == ["b/main.proto"]


def test_without_protos_there_is_nothing():
    assert described().content == b""
