"""The Kubernetes deployer: a solution becomes a `solution.zip` for any cluster."""
