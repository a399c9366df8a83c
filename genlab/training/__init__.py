"""One run in this process: its settings, the fit, what it starts from and how it stops."""
