"""Writing many texts at once: which token is taken, what was read, and the batch that is filled again as rows end."""
