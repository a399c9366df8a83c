"""Trials of the command line under kills, signals, full disks and hostile input."""
