"""The bundles that whole tiers look at: of the golden cases, our samples, the real solutions and random graphs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from support.graphs import graph
from support.solutions import IMAGES, ROOT, assets, corpus, read, samples

from kubernetes_client.generate import DEPLOYER
from shared.bundle import Bundle
from shared.deployer import Assets
from shared.errors import InvalidSolutionError
from shared.solution import SolutionFiles

Named = tuple[str, Bundle]
NO_OPTIONS: Mapping[str, Any] = {}


def built(files: SolutionFiles, options: Mapping[str, Any], *, static: Assets | None = None) -> Bundle:
    """Return the bundle of a solution; without `static`, one that has no script and no client."""
    return DEPLOYER.build(files, DEPLOYER.parse_options(options), static or assets())


def whole() -> Assets:
    """Return everything that a bundle carries for its user: the script, the client, the protos."""
    return Assets(DEPLOYER.load_files(), IMAGES)


def golden() -> Iterator[Named]:
    """Return the bundles of the golden cases, which show the options."""
    for options in sorted((ROOT / "tests" / "golden").glob("*/options.json")):
        yield f"golden-{options.parent.name}", built(read(options.parent), json.loads(options.read_bytes()))


def of_samples() -> Iterator[Named]:
    """Return the bundles of our samples, with the options that lie beside them."""
    for name, files in samples():
        yield name, built(files, sample_options(name))


def sample_options(name: str) -> dict[str, Any]:
    """Return the options that a sample asks for."""
    file = ROOT / "samples" / name / "options.json"
    found: dict[str, Any] = json.loads(file.read_bytes()) if file.is_file() else {}
    return found


def of_corpus(test_data: Path) -> Iterator[Named]:
    """Return the bundles of the real solutions that can be deployed."""
    for name, files in corpus(test_data):
        try:
            yield name, built(files, NO_OPTIONS)
        except InvalidSolutionError:
            continue  # that such a solution ends in findings is tested elsewhere


def of_graphs(seeds: Iterable[int]) -> Iterator[Named]:
    """Return the bundles of random graphs with options that fit them."""
    for seed in seeds:
        made = graph(seed)
        yield f"graph-{seed}", built(made.files, made.options)


def unpack(bundle: Bundle, folder: Path) -> Path:
    """Write the files of a bundle into a new folder, as `unzip` does, and return it."""
    for path, data in bundle.sealed.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


def manifests(folder: Path) -> list[dict[str, Any]]:
    """Return the Kubernetes objects of an unpacked bundle."""
    files = sorted(file for part in ("deployments", "policies") for file in folder.glob(f"{part}/*.yaml"))
    return [yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader) for file in files]
