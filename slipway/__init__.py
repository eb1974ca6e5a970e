"""The face of Slipway: the command line and `slipway up`."""
