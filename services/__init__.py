"""One folder per service; none imports another."""
