"""Several processes that train one run: how they start, meet, communicate and end."""
