"""What `genlab train` does: one run, the runs before it, sweeps and studies."""
