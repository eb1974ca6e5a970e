"""The runtime without a cluster: known images run as processes of this machine. For a first try and for tests."""
