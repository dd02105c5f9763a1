"""The promises of the sandbox, tried inside a judged program."""
