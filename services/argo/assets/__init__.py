"""Static files of the Argo bundle."""
