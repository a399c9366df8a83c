"""Files: read with a schema and a bound, written whole or not at all, locked."""
