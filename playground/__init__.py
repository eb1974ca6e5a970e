"""The playground: a deployer that pushes a bundle, and the server that runs it and shows it."""
