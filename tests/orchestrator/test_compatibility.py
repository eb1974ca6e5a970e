"""Message types are compared as they are on the wire."""

from __future__ import annotations

import pytest

from orchestrator import compatibility
from shared.protobuf import Compiler, Descriptors


def differences(written: str, read: str) -> list[tuple[str, bool]]:
    protos = {
        "a": f'syntax = "proto3"; {written} service S {{ rpc m(M) returns (M); }}'.encode(),
        "b": f'syntax = "proto3"; {read} service S {{ rpc m(M) returns (M); }}'.encode(),
    }
    found = Compiler().compile(protos, ["a", "b"])
    a, b = found["a"], found["b"]
    assert isinstance(a, Descriptors)
    assert isinstance(b, Descriptors)
    return [(d.field, d.is_fatal) for d in compatibility.compare(a.rpcs[0].output, b.rpcs[0].input)]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("int32 a = 1;", "string a = 1;"),
        ("int32 a = 1;", "sint32 a = 1;"),
        ("fixed32 a = 1;", "float a = 1;"),
        ("double a = 1;", "float a = 1;"),
        ("repeated int32 a = 1;", "int32 a = 1;"),
        ("bytes a = 1;", "N a = 1; message N {}"),
        ("map<string, int32> a = 1;", "map<string, string> a = 1;"),
    ],
)
def test_what_would_arrive_garbled_is_fatal(written, read):
    assert any(is_fatal for _, is_fatal in differences(f"message M {{ {written} }}", f"message M {{ {read} }}"))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("int32 a = 1;", "int64 a = 1;"),
        ("int32 a = 1;", "int32 b = 1;"),
        ("string a = 1;", "bytes a = 1;"),
        ("int32 a = 1; int32 b = 2;", "int32 a = 1;"),
        ("int32 a = 1;", "int32 a = 1; int32 b = 2;"),
        ("E a = 1; enum E { Z = 0; }", "int32 a = 1;"),
    ],
)
def test_what_only_differs_is_no_more_than_a_warning(written, read):
    found = differences(f"message M {{ {written} }}", f"message M {{ {read} }}")

    assert found
    assert not any(is_fatal for _, is_fatal in found)


def test_a_difference_deep_inside_is_shown_with_its_path():
    written = "message M { A a = 1; } message A { B b = 1; } message B { int32 c = 1; }"

    assert differences(written, written.replace("int32 c", "string c")) == [("M.a.b.c", True)]


def test_recursive_messages_are_compared_once():
    assert differences("message M { M m = 1; int32 a = 2; }", "message M { M m = 1; int32 a = 2; }") == []


def test_other_names_of_the_same_structure_are_a_warning():
    assert differences("message M { A a = 1; } message A {}", "message M { B a = 1; } message B {}") == [("M.a", False)]
