"""Makes ready what lightkube decodes, before there are threads: import it where a client is made or used.

msgspec learns how a type is built when it is first used. Two threads that use one for the first time at the same moment
crash the interpreter (seen with 0.22): one takes for complete what the other is still building.
"""

from __future__ import annotations

import msgspec
from lightkube.core import decoders
from lightkube.models import meta_v1
from lightkube.resources import apps_v1, authorization_v1, batch_v1, coordination_v1, core_v1, networking_v1

_MODULES = (apps_v1, authorization_v1, batch_v1, coordination_v1, core_v1, networking_v1)


def _prepare() -> None:
    kinds = [one for module in _MODULES for one in vars(module).values() if isinstance(one, type)]
    for kind in kinds:
        if issubclass(kind, msgspec.Struct) and hasattr(kind, "_api_info"):
            msgspec.json.Decoder(kind)
            decoders.decode_list(b'{"items": []}', kind)
    for own in (meta_v1.Status, decoders.WatchEvent):
        msgspec.json.Decoder(own)


_prepare()
