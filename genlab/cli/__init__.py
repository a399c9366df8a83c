"""The command line: words, verbs, completion, errors of Hydra and resuming by name."""
