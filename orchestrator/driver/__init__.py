"""`slipway-driver`: what a workflow's containers run: one call, a whole run, a deployment and its end, a report."""
