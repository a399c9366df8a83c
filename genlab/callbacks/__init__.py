"""What a run leaves behind and shows while it runs: Lightning callbacks and their files."""
