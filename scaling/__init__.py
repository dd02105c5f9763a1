"""More than one command: studies, which are many commands in their order."""
