# ruff: noqa: T201 - a program whose output is what it prints
"""Runs in an environment of its own: JSON lines of manifests in, JSON lines of what is wrong with them out.

The schemas are read once per kind and version; the package would read them again for each object.
"""

import functools
import json
import sys

from kubernetes_validate import utils

utils.schema_contents = functools.lru_cache(maxsize=None)(utils.schema_contents)


def problem(manifest, version):
    """Return what the strict schema of a Kubernetes version has against a manifest, or None."""
    try:
        utils.validate(manifest, version, strict=True)
    except utils.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    except utils.SchemaNotFoundError as error:
        return error.message
    return None


def main():
    """Validate each line `{"source", "manifest"}` against each version that the arguments name."""
    count = 0
    for line in sys.stdin:
        entry = json.loads(line)
        count += 1
        for version in sys.argv[1:]:
            found = problem(entry["manifest"], version)
            if found:
                print(json.dumps({"source": entry["source"], "version": version, "problem": found}))
    print(json.dumps({"validated": count}))


if __name__ == "__main__":
    main()
