"""Runs an emitted workflow on this machine: programs of a table in place of images, files in place of volumes and artifacts."""
