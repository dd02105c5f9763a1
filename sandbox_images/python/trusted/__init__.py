"""The trusted process, PID 1 of a container: it reads jobs, runs tests, reports."""
