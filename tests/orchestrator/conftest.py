"""A process of stand-in nodes for all tests of this folder."""

from support.pipelines import host, pipeline

__all__ = ["host", "pipeline"]
