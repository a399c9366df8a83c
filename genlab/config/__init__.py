"""From pages to objects: the typed skeleton, sizes, targets and what is built of them."""
