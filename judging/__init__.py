"""Running samples in containers of their own, and turning what happened into verdicts."""
