"""What services with pages for people share: the frame, the look, signing in, and errors as pages."""
