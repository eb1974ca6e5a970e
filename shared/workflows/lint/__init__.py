"""Semantic lint of emitted packages, on parsed documents: what no schema sees and an engine says only when it is too late."""
