"""The runtime for a cluster: a namespace for each deployment, and nothing kept anywhere else."""
