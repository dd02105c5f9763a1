"""The container engine: connecting, its dialects, its outages."""
