"""The Python interface, which `import genlab` offers: runs opened, trained, composed, and pages."""
