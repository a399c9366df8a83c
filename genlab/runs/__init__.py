"""The run folder: found, claimed, read, written, and opened for use."""
