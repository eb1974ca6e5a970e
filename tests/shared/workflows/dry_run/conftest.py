"""A bench for dry runs."""

from support.dry_runs import bench

__all__ = ["bench"]
