"""Where images lie: each kind of container gives its images by position."""
