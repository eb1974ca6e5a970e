"""The node that moves messages along the edges of a pipeline, as bytes."""
