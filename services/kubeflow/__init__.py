"""The Kubeflow deployer: a solution becomes a pipeline of Kubeflow Pipelines v2, as data, and what it needs in the namespace."""
