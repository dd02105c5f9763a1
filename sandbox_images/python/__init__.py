"""The Python sandbox. The modules here run inside the container, on the standard library alone."""
