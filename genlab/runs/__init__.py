"""Run folders: finding, claiming, reading and writing them, and loading runs from them."""
