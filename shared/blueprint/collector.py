"""Collects the findings of one blueprint, bounded: a hostile one can give rise to millions."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.blueprint.limits import MAX_FINDINGS
from shared.findings import Finding, Findings, Severity, note


@dataclass(slots=True)
class Collector:
    """Findings in the order they are made."""

    kept: dict[Severity, dict[Finding, int]] = field(default_factory=lambda: {severity: {} for severity in Severity})
    """By severity each once with its place in the order, at most `MAX_FINDINGS` each."""
    count: int = 0
    """Of all findings, also of those that are not kept."""

    def error(self, code: str, path: str, *, expected: str, found: str, hint: str = "") -> None:
        """Add a finding that stops the build."""
        self._add(Finding(Severity.ERROR, code, path, expected, found, hint))

    def warning(self, code: str, path: str, *, expected: str, found: str, hint: str = "") -> None:
        """Add a finding about something that the result does not carry, or carries changed."""
        self._add(Finding(Severity.WARNING, code, path, expected, found, hint))

    def note(self, code: str, path: str, *, expected: str, found: str, hint: str = "") -> None:
        """Add a finding that only informs."""
        self._add(Finding(Severity.NOTE, code, path, expected, found, hint))

    def gathered(self) -> Findings:
        """Return at most `MAX_FINDINGS`, the worst rather than the first, and how many more there are."""
        worst = [entry for severity in Severity for entry in self.kept[severity].items()][:MAX_FINDINGS]
        found = tuple(finding for finding, _ in sorted(worst, key=lambda entry: entry[1]))
        if self.count <= MAX_FINDINGS:
            return Findings(found)
        rest = f"and {self.count - MAX_FINDINGS} more"
        return Findings((*found, note("more-findings", "$", expected=f"at most {MAX_FINDINGS} findings", found=rest)))

    def _add(self, finding: Finding) -> None:
        kept = self.kept[finding.severity]
        if finding in kept:
            return
        self.count += 1
        if len(kept) < MAX_FINDINGS:
            kept[finding] = self.count
