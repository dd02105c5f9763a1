"""Commands that run other commands: the demo, and studies."""
