"""The Python sandbox: modules that run inside the container, on the standard library alone.

`trusted` is PID 1, which runs the tests, `untrusted` the child that runs the program, `boundary` what both use to talk.
The trusted side imports one thing of the untrusted: the function that the forked child runs.
"""
