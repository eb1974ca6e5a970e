"""The scripts that travel in bundles as `orchestrator_client/`; they need grpcio and protobuf only."""
