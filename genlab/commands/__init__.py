"""What can be done with a finished run, one module per verb."""
