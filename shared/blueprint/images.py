"""The findings about an image reference, the same for a node of a pipeline and for a model."""

from __future__ import annotations

from shared import image
from shared.blueprint.collector import Collector
from shared.findings import quoted
from shared.solution import ImageRef

_EXPECTED = "an image reference such as registry.example/path:tag"


def check(text: str, path: str, findings: Collector) -> ImageRef | None:
    """Return the reference that a container engine takes, or None when it is not certain what is meant."""
    mended = image.mend(text)
    try:
        reference = image.parse(mended)
    except ValueError as problem:
        findings.error("image-invalid", path, expected=_EXPECTED, found=quoted(text), hint=str(problem))
        return None
    if mended != text:
        findings.warning(
            "image-mended", path, expected=quoted(mended), found=quoted(text), hint="no engine pulls it as it is"
        )
    if reference.is_moving:
        findings.note("image-moving", path, expected="a tag other than latest, or a digest", found=quoted(text))
    return ImageRef(mended)
