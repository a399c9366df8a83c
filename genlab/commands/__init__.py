"""Commands on a finished run, one module each."""
