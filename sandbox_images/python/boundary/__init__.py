"""The boundary between the two processes: frames, codec, limits, system calls."""
