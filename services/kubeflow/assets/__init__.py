"""Static files of the Kubeflow bundle."""
