"""What every HTTP service of Slipway shares: errors, health, limits, sessions, the deployer's routes."""
