"""The parts as one file: complete, up to date, and Python 3.8."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.finishing import joining


def pythons() -> list[str]:
    """Return every Python from 3.8 on that is on the PATH and runs."""
    found = [sys.executable, *filter(None, (shutil.which(f"python3.{minor}") for minor in range(8, 16)))]
    return [
        path for path in found if subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0
    ]


@pytest.mark.parametrize("name", joining.SCRIPTS)
def test_the_script_in_the_repository_is_what_its_parts_make(name: str):
    assert joining.joined(name) == joining.script(name).decode()


def test_every_part_is_in_a_script():
    parts = {path.stem for path in Path(joining.__file__).parent.glob("*.py")} - {"__init__", "joining"}

    joined = {part for each in joining.SCRIPTS.values() for part in each}
    assert joined | {Path(name).stem for name in joining.SCRIPTS} == parts


@pytest.mark.parametrize("name", joining.SCRIPTS)
def test_the_script_is_python_3_8(name: str):
    assert ast.parse(joining.script(name), feature_version=(3, 8)).body


@pytest.mark.parametrize("name", joining.SCRIPTS)
@pytest.mark.parametrize("python", pythons())
def test_every_python_of_the_machine_runs_the_script(tmp_path: Path, python: str, name: str):
    script = tmp_path / name
    script.write_bytes(joining.script(name))

    done = subprocess.run([python, str(script), "--help"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", joining.SCRIPTS)
def test_the_script_needs_the_standard_library_alone(name: str):
    imported = {
        statement.module if isinstance(statement, ast.ImportFrom) else each.name
        for statement in ast.walk(ast.parse(joining.script(name)))
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for each in statement.names
    }

    assert {str(each).partition(".")[0] for each in imported} <= sys.stdlib_module_names


def test_two_parts_that_define_one_name_cannot_be_joined():
    with pytest.raises(ValueError, match="_row is defined in one and in other"):
        joining.join({"one": '"""One."""\n\ndef _row(): ...\n', "other": '"""Other."""\n\n_row = 1\n'})
