"""Several processes that train one run: how they start, meet, talk and end."""
