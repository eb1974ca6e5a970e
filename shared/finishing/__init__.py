"""The parts of the finishing scripts that bundles carry."""
