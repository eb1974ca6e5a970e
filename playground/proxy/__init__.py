"""The reverse proxy through which visitors reach the web UIs of nodes."""
