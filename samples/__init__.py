"""The front door: samples as people publish them, prompts for any engine, and sampling from an endpoint."""
