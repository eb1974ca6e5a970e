"""The version of Slipway where code needs it without reading the installed package: equal to `pyproject.toml`'s."""

VERSION = "0.1.0"
