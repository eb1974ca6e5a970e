"""Joins the parts into one file that a bundle carries, so that what people run is readable and needs no installation.

The order is the one given; imports of sibling parts vanish, the other imports are gathered and sorted at the top.
`python -m shared.finishing.joining` writes the scripts; a test compares them with what is in the repository.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

Import = ast.Import | ast.ImportFrom

PARTS = (
    "objects",
    "names",
    "stages",
    "choices",
    "ownership",
    "pruning",
    "changes",
    "readiness",
    "causes",
    "pulling",
    "placing",
    "starting",
    "refusing",
    "diagnosis",
    "addresses",
    "progress",
    "report",
    "arguments",
    "answering",
    "terminal",
    "connection",
    "kubectl",
    "watching",
    "waiting",
    "applying",
    "bundle_files",
    "session",
    "telling",
    "deploying",
    "deleting",
    "forwarding",
    "script",
)
SCRIPT = "kubernetes-client-script.py"
ARGO_PARTS = (
    "objects",
    "names",
    "connection",
    "kubectl",
    "speaking",
    "workflow_runs",
    "needed_secrets",
    "following",
    "argo_caches",
    "argo",
)
ARGO_SCRIPT = "argo-script.py"
KUBEFLOW_PARTS = (
    "names",
    "speaking",
    "kubeflow_answers",
    "kubeflow_runs",
    "kubeflow_api",
    "kubeflow_pipeline",
    "kubeflow",
)
KUBEFLOW_SCRIPT = "kubeflow-script.py"
SCRIPTS = {SCRIPT: PARTS, ARGO_SCRIPT: ARGO_PARTS, KUBEFLOW_SCRIPT: KUBEFLOW_PARTS}
"""Name of each script → the parts that it is made of."""
_PURPOSES = {
    SCRIPT: "Finish the deployment of this bundle: apply, wait, print the addresses.",
    KUBEFLOW_SCRIPT: "Upload the pipeline of this bundle to Kubeflow, run it, follow it, stop it, remove it.",
    ARGO_SCRIPT: "Submit the workflow of this bundle, follow it, stop it, remove it.",
}


def join(
    sources: dict[str, str],
    *,
    purpose: str = "Finish the deployment of this bundle.",
    needs: str = "Python 3.8 or newer and kubectl",
) -> str:
    """Return one Python file from the sources of the parts by name; deterministic.

    Raises:
        ValueError: two parts define one name, of which the joined file could hold only one.
    """
    _refuse_clashes(sources)
    imports: list[Import] = []
    bodies = []
    for name, source in sources.items():
        body, found = _split(source)
        imports += found
        bodies.append(f"# --- {name}: {_docstring(source)}\n\n{body.strip()}\n")
    head = f'#!/usr/bin/env python3\n"""{purpose}\n\n'
    head += f"Needs {needs}. Run with --help. Generated from shared/finishing of Slipway.\n"
    head += '"""\n\nfrom __future__ import annotations\n\n'
    return head + _merged(imports) + "\n\n\n" + "\n\n".join(bodies)


def joined(name: str = SCRIPT) -> str:
    """Return a script as the parts in this package make it."""
    folder = files("shared.finishing")
    sources = {part: folder.joinpath(f"{part}.py").read_text(encoding="utf-8") for part in SCRIPTS[name]}
    needs = {"needs": "Python 3.8 or newer, nothing else"} if name == KUBEFLOW_SCRIPT else {}
    return join(sources, purpose=_PURPOSES[name], **needs)


def script(name: str = SCRIPT) -> bytes:
    """Return the script that bundles carry."""
    return files("shared.finishing").joinpath(name).read_bytes()


def _refuse_clashes(sources: dict[str, str]) -> None:
    homes: dict[str, str] = {}
    for part, source in sources.items():
        for name in _defined(ast.parse(source)):
            if name in homes:
                raise ValueError(f"{name} is defined in {homes[name]} and in {part}")
            homes[name] = part


def _defined(module: ast.Module) -> Iterator[str]:
    for statement in module.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from (node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))


def _docstring(source: str) -> str:
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def _split(source: str) -> tuple[str, list[Import]]:
    """Return (what follows the imports, the imports that the joined file needs)."""
    lines = source.splitlines(keepends=True)
    statements = ast.parse(source).body[1:]
    imports = [statement for statement in statements if isinstance(statement, ast.Import | ast.ImportFrom)]
    end = max((statement.end_lineno or 0 for statement in imports), default=1)
    return "".join(lines[end:]), [statement for statement in imports if not _is_ours(statement)]


def _is_ours(statement: Import) -> bool:
    module = getattr(statement, "module", None) or ""
    return module == "__future__" or module.startswith("shared.")


def _merged(imports: list[Import]) -> str:
    plain = {name.name for statement in imports if isinstance(statement, ast.Import) for name in statement.names}
    members: dict[str, set[str]] = {}
    for statement in imports:
        if isinstance(statement, ast.ImportFrom):
            members.setdefault(statement.module or "", set()).update(name.name for name in statement.names)
    lines = [f"import {name}" for name in sorted(plain)]
    lines += [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(members.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    for each in SCRIPTS:
        Path(__file__).with_name(each).write_text(joined(each), encoding="utf-8")
