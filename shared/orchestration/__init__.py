"""The orchestrator's protocol and the client that travels in bundles."""
