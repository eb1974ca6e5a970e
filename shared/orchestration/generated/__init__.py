"""Generated from `protos/` by `python -m shared.orchestration.regenerate`; never edited by hand."""
