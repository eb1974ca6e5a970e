"""`blueprint.json` in, `Solution` and findings out; only this package knows the keys of the format.

All four generations that are in use end in the same model, and everything that is wrong with one is said at once.
"""

from shared.blueprint.parsing import Parsed, parse
from shared.blueprint.uris import proto_uris
from shared.blueprint.writing import emit

__all__ = ["Parsed", "emit", "parse", "proto_uris"]
