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


def test_the_script_in_the_repository_is_what_its_parts_make():
    assert joining.joined() == joining.script().decode()


def test_every_part_is_in_the_script():
    parts = {path.stem for path in Path(joining.__file__).parent.glob("*.py")} - {"__init__", "joining"}

    assert {*joining.PARTS, "kubernetes-client-script"} == parts


def test_the_script_is_python_3_8():
    assert ast.parse(joining.script(), feature_version=(3, 8)).body


@pytest.mark.parametrize("python", pythons())
def test_every_python_of_the_machine_runs_the_script(tmp_path: Path, python: str):
    script = tmp_path / joining.SCRIPT
    script.write_bytes(joining.script())

    done = subprocess.run([python, str(script), "--help"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_script_needs_the_standard_library_alone():
    imported = {
        statement.module if isinstance(statement, ast.ImportFrom) else name.name
        for statement in ast.walk(ast.parse(joining.script()))
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for name in statement.names
    }

    assert {str(name).partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_two_parts_that_define_one_name_cannot_be_joined():
    with pytest.raises(ValueError, match="_row is defined in one and in other"):
        joining.join({"one": '"""One."""\n\ndef _row(): ...\n', "other": '"""Other."""\n\n_row = 1\n'})
