"""Containers: flags, pool, jobs, and the outcome of a job."""
