"""Where deployments run: one protocol, a Kubernetes cluster and local processes behind it."""
