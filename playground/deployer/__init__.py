"""The playground's deployer: the bundle of `shared.kubernetes`, pushed to a playground instead of downloaded."""
