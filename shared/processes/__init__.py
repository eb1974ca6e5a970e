"""Runs programs as local processes: bounded logs with many readers, limits, and an end that leaves nothing behind."""
