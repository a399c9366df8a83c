"""The Python interface that `import genlab` offers."""
