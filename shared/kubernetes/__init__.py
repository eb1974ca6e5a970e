"""Kubernetes manifests as pure functions: closed builders, and the bundle that every cluster deployer uses."""
