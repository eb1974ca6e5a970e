"""The server of the playground: takes bundles, lets them run, and shows them to their owners."""
