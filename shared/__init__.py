"""The library every Slipway service stands on; it imports no service."""
