"""`kustomization.yaml`: what makes `kubectl apply -k` and GitOps tools work on an unpacked bundle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def kustomization(paths: Sequence[str]) -> dict[str, Any]:
    """Return the file that lists `paths`. It names no namespace: that is for whoever applies it."""
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(paths),
    }
