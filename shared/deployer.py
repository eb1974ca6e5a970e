"""What a deployer is: a name, a type of options, and a pure function from a solution to a bundle.

Deployers register under the entry-point group `slipway.deployers`; this module knows the protocol only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

import msgspec

from shared import blueprint, image
from shared.bundle import Bundle
from shared.errors import InvalidOptionsError, InvalidSolutionError, NotFoundError
from shared.findings import quoted
from shared.settings import load, setting
from shared.solution import Solution, SolutionFiles

GROUP = "slipway.deployers"

O = TypeVar("O", bound=msgspec.Struct)  # noqa: E741 - the options type


def _image(text: str) -> str:
    try:
        image.parse(text)
    except ValueError as problem:
        raise ValueError(f"expected an image reference: {problem}") from problem
    return text


@dataclass(frozen=True, slots=True)
class Images:
    """Container images that the operator chose, not the author; an unset one is None."""

    orchestrator: str | None = setting(
        "SLIPWAY_ORCHESTRATOR_IMAGE",
        "Image of the orchestrator. A service requires it; the command line names `slipway/orchestrator`, with a warning.",
        parse=_image,
        default=None,
    )
    probe: str | None = setting(
        "SLIPWAY_PROBE_IMAGE", "Image of Graphene's probe; without it probes are left out.", parse=_image, default=None
    )
    nginx: str | None = setting(
        "SLIPWAY_NGINX_IMAGE", "Image of the nginx beside the probe.", parse=_image, default=None
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Images:
        """Read the images from the environment.

        Raises:
            SettingsError: a variable is no image reference, or names a file that cannot be read.
        """
        return load(cls, environ)


@dataclass(frozen=True, slots=True)
class Assets:
    """Everything a generator needs beside solution and options: static files by bundle path, and the operator's images."""

    files: Mapping[str, bytes] = field(default_factory=dict, hash=False)
    images: Images = field(default_factory=Images)


@dataclass(frozen=True)
class Deployer(Generic[O]):
    """One way to make a solution run."""

    name: str
    """Hyphenated: `kubernetes-client`."""
    title: str
    """For people: `Kubernetes (solution.zip)`."""
    summary: str
    options: type[O]
    """A frozen `msgspec.Struct` that forbids unknown fields; its JSON Schema is what `GET /v1/deployer` answers."""
    generate: Callable[[Solution, O, Assets], Bundle]
    """Pure: no clock, network, disk, environment. Adds its own findings to the bundle."""
    load_files: Callable[[], Mapping[str, bytes]]
    """Reads the static files (`Assets.files`) once, at start."""

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the options."""
        return msgspec.json.schema(self.options)

    def parse_options(self, options: Mapping[str, Any], *, from_text: bool = False) -> O:
        """Check `options` against the schema; `from_text` reads `"2"` as a number where one is expected.

        Raises:
            InvalidOptionsError: with the JSON path of the first mismatch.
        """
        try:
            return msgspec.convert(dict(options), self.options, strict=not from_text)
        except msgspec.ValidationError as mismatch:
            raise InvalidOptionsError(f"options: {mismatch}") from mismatch

    def build(self, files: SolutionFiles, options: O, assets: Assets) -> Bundle:
        """Run model → generate on the bytes of a solution.

        Raises:
            InvalidSolutionError: an error finding, with all findings.
        """
        parsed = blueprint.parse(files)
        if parsed.solution is None or parsed.findings.errors:
            raise InvalidSolutionError(parsed.findings)
        bundle = self.generate(parsed.solution, options, assets)
        findings = parsed.findings + bundle.findings
        if findings.errors:
            raise InvalidSolutionError(findings)
        return bundle.with_findings(findings)


def installed() -> dict[str, Deployer[Any]]:
    """Return every registered deployer by name, sorted."""
    return {point.name: point.load() for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def named(name: str) -> Deployer[Any]:
    """Return one deployer, importing no other.

    Raises:
        NotFoundError: with the names that exist.
    """
    points = entry_points(group=GROUP)
    for point in points:
        if point.name == name:
            deployer: Deployer[Any] = point.load()
            return deployer
    raise NotFoundError(f"deployer: expected one of {', '.join(sorted(p.name for p in points))}, found {quoted(name)}")
