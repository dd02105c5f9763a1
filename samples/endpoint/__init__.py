"""Sampling from an OpenAI-compatible server: requests, retries, answers, and the file that a run goes on with."""
