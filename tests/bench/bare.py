"""The peer of the service: Flask with one route that zips the files of a bundle, and nothing else."""

from __future__ import annotations

import io
import os
import zipfile

from flask import Flask, Response

app = Flask(__name__)

with zipfile.ZipFile(os.environ["BARE_ZIP"]) as _bundle:
    FILES = {name: _bundle.read(name) for name in _bundle.namelist()}


@app.post("/v1/bundles")
def bundle() -> Response:
    """Return the files zipped anew."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in FILES.items():
            target.writestr(name, data)
    return Response(buffer.getvalue(), content_type="application/zip")
