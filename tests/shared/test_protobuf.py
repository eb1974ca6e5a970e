"""Protos become descriptors, each in a pool of its own, whatever they contain."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import pytest
from support.timing import within

from shared import protobuf, protobuf_imports

HEAD = b'syntax = "proto3";\n'


def compiled(stem: str, **protos: bytes) -> protobuf.Descriptors:
    result = protobuf.Compiler().compile(protos, [stem])[stem]
    assert isinstance(result, protobuf.Descriptors), result
    return result


def problem(stem: str, **protos: bytes) -> str:
    result = protobuf.Compiler().compile(protos, [stem])[stem]
    assert isinstance(result, protobuf.Problem)
    return result.text


def test_paths_and_streams_come_from_the_descriptors():
    text = HEAD + b"package p.q; message A {} service S{rpc m(stream A) returns(A);rpc n(A)returns(stream A){}}"

    rpcs = compiled("a", a=text).rpcs

    assert [(r.path, r.input.full_name, r.input_stream, r.output_stream) for r in rpcs] == [
        ("/p.q.S/m", "p.q.A", True, False),
        ("/p.q.S/n", "p.q.A", False, True),
    ]


def test_the_same_name_may_have_other_content_in_another_proto():
    first = HEAD + b"message A { int32 x = 1; } service S { rpc m(A) returns (A); }"
    second = HEAD + b"message A { string y = 2; } service S { rpc m(A) returns (A); }"

    results = protobuf.Compiler().compile({"first": first, "second": second}, ["first", "second"])

    assert [next(iter(r.rpcs[0].input.fields_by_name)) for r in results.values()] == ["x", "y"]


@pytest.mark.parametrize("spelling", ["types.proto", "common/types.proto", "Types.proto"])
def test_an_import_finds_its_sibling_by_file_name(spelling):
    text = HEAD + f'import public "{spelling}"; service S {{ rpc m(T) returns (T); }}'.encode()

    assert compiled("a", a=text, types=HEAD + b"message T {}").rpcs[0].input.full_name == "T"


def test_imports_of_imports_and_well_known_types_are_found():
    text = (
        HEAD
        + b'import "b.proto"; import "google/protobuf/empty.proto"; service S { rpc m(google.protobuf.Empty) returns (B); }'
    )
    b = HEAD + b'import "c.proto"; message B { C c = 1; }'

    rpc = compiled("a", a=text, b=b, c=HEAD + b"message C {}").rpcs[0]

    assert (rpc.input.full_name, rpc.output.full_name) == ("google.protobuf.Empty", "B")


@pytest.mark.parametrize(
    "text",
    [
        b'syntax = "proto2"; message A { required int32 x = 1; optional group G = 2 { optional int32 y = 1; } }',
        b'edition = "2023"; message A { int32 x = 1 [features.field_presence = IMPLICIT]; }',
        HEAD + b"enum E { ZERO = 0; } message A { map<string, E> m = 1; oneof o { int32 a = 2; string b = 3; } }",
    ],
    ids=["proto2", "edition 2023", "enum, map and oneof"],
)
def test_every_syntax_is_read(text):
    assert compiled("a", a=text).messages == ("A",)


def test_only_the_proto_s_own_services_count():
    text = HEAD + b'import "b.proto"; service S { rpc m(B) returns (B); }'
    b = HEAD + b"message B {} service Other { rpc n(B) returns (B); }"

    assert [rpc.path for rpc in compiled("a", a=text, b=b).rpcs] == ["/S/m"]


def test_a_syntax_error_is_told_with_its_line_and_without_a_path():
    assert problem("a", a=HEAD + b"message {").startswith("main.proto:2:9: Expected message name.")


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../etc/passwd", "a=b.proto", "a:b.proto", "x//b.proto", "gone.proto"]
)
def test_an_import_from_elsewhere_is_refused(name):
    found = problem("a", a=HEAD + f'import "{name}"; message A {{}}'.encode())

    assert found == f'imports files that the solution does not have: "{name}"'


@pytest.mark.parametrize("stem", ["../../evil", "/tmp/evil", "a;touch evil", "$(touch evil)", "a\nb", "-Ievil"])
def test_a_hostile_name_never_becomes_a_path(stem, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    result = protobuf.Compiler().compile({stem: HEAD + b"message A {}"}, [stem])[stem]

    assert isinstance(result, protobuf.Descriptors)
    assert list(tmp_path.rglob("*")) == []
    assert not Path("evil").exists()


def test_a_proto_that_is_too_large_is_refused_before_it_is_compiled():
    assert problem("a", a=b" " * (protobuf.PROTO_BYTES + 1)).startswith("expected at most 262144 bytes")


def test_bytes_that_are_no_text_are_refused():
    assert problem("a", a=b"\xff\xfe\x00") == "expected UTF-8 text"


def test_deep_nesting_ends_in_a_problem():
    text = HEAD + b"message A {" * 5000 + b"}" * 5000

    assert problem("a", a=text)


def test_one_bad_proto_leaves_the_others_alone():
    results = protobuf.Compiler().compile({"bad": b"?", "good": HEAD + b"message A {}"}, ["bad", "good"])

    assert [type(result).__name__ for result in results.values()] == ["Problem", "Descriptors"]


def test_the_same_content_is_compiled_once(monkeypatch):
    started = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *a, **more: started.append(a) or run(*a, **more))
    compiler = protobuf.Compiler()

    results = compiler.compile({"a": HEAD + b"message A {}"}, ["a"])
    results |= compiler.compile({"b": HEAD + b"message A {}"}, ["b"])

    assert [result.messages for result in results.values()] == [("A",), ("A",)]
    assert len(started) == 1


def test_comments_and_strings_hide_no_import_and_make_none():
    text = 'syntax = "proto3"; // import "a.proto";\n/* import "b.proto"; */ import /* x */ "c.proto";\noption o = "import \\"d.proto\\";";'

    assert protobuf_imports.imports(text) == ("c.proto",)


@pytest.mark.parametrize("unit", ["/* ", '"\\', "'", "import ", '"\\"'])
def test_hostile_text_is_read_in_linear_time(unit):
    with within(0.5):
        protobuf_imports.imports(unit * 50_000)


def test_every_real_proto_compiles_or_says_why(test_data):
    files = {path.stem: path.read_bytes() for path in (test_data / "corpus" / "protos").glob("*.proto")}

    results = protobuf.Compiler().compile(files, files)

    assert {stem: r.text for stem, r in results.items() if isinstance(r, protobuf.Problem)} == {}
    assert sum(len(r.rpcs) for r in results.values()) > 60


def test_the_files_of_a_proto_stand_behind_what_they_import():
    protos = {
        "a": b'syntax = "proto3"; import "b.proto"; message A { B b = 1; }',
        "b": b'syntax = "proto3"; message B {}',
    }

    found = protobuf.Compiler().compile(protos, ["a"])["a"]

    assert isinstance(found, protobuf.Descriptors)
    assert [file.name for file in found.files] == ["b.proto", "main.proto"]
