"""The Argo deployer: a solution becomes a Workflow, its template, its schedule, and what they need in the namespace."""
