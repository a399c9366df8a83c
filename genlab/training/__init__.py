"""Training of one run in this process: settings, preparation, fit, restoring and stopping."""
