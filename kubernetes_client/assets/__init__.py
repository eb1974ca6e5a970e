"""Static files of the bundle, as they are."""
