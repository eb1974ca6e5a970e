"""What a blueprint says about the solution as a whole: name, version, probe."""

from __future__ import annotations

from shared.blueprint.collector import Collector
from shared.blueprint.limits import MAX_TEXT, Budget
from shared.blueprint.place import Place, described, is_showable, showable
from shared.findings import quoted

UNNAMED = "pipeline"


def known_name(text: str, findings: Collector) -> str:
    """Return the marketplace's name of a solution, made fit to be shown."""
    if len(text) > MAX_TEXT:
        findings.error("text-too-long", "name", expected=f"at most {MAX_TEXT} characters", found=f"{len(text)}")
    if not is_showable(text):
        findings.error("text-unshowable", "name", expected="text without control characters", found=quoted(text))
    return showable(text[:MAX_TEXT])


def name(top: Place, known: str) -> str:
    """Return the marketplace's name where it is known: the design studio cuts long ones off in the blueprint."""
    own = top.text("name")
    if not own and not known:
        hint = f"it is called {UNNAMED}"
        top.findings.warning("name-missing", "$.name", expected="the name of the solution", found="nothing", hint=hint)
    return known_name(known, top.findings) or own or UNNAMED


def version(top: Place) -> str:
    """Return the version as text; some authors write a number."""
    value = top.value.get("version")
    if value in (None, ""):
        top.findings.note("version-missing", "$.version", expected="the version of the solution", found="nothing")
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        top.findings.note("version-is-number", "$.version", expected="text", found=quoted(value))
        return str(value)
    return top.text("version")


def probe(top: Place) -> bool:
    """Tell whether the author asked for the probe; the key was misspelt once, and the last entry counts."""
    key = "probeIndicator" if top.value.get("probeIndicator") else "probeIndocator"
    value = top.value.get(key)
    entry = value[-1] if isinstance(value, list) and value else value
    wanted = entry.get("value") if isinstance(entry, dict) else entry
    if not wanted or wanted is True:
        return wanted is True
    if isinstance(wanted, str) and wanted.strip().casefold() in {"true", "false"}:
        return wanted.strip().casefold() == "true"
    expected = '"true" or "false"'
    top.findings.warning(
        "probe-unclear", f"$.{key}", expected=expected, found=described(wanted), hint="no probe is added"
    )
    return False


def check_training_clients(top: Place) -> None:
    """Collect that training clients are not deployed."""
    count = len(top.members("training_clients", Budget("training clients", 100)))
    if count:
        found = f"{count}; they stay in the blueprint and are not deployed"
        top.findings.warning("training-clients-ignored", "$.training_clients", expected="none", found=found)
