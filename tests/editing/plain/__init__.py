"""Methods written plainly from their equations, to hold the package against: see `methods`.

One row at a time, without padding and without any cache: every number comes from a forward pass of the whole model
with a hook. Nothing of the package is used but the request and the table of module paths. Each step can be done wrong
on purpose (`mistakes`), to show that the comparison would notice.
"""
