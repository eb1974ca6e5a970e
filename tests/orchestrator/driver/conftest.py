"""The driver, and a process of nodes that a test tells what to do."""

from support.driving import driver

__all__ = ["driver"]
