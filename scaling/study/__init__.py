"""Studies: a plan file, the steps that it comes to, and what of them is done.

run         the steps one after the other, and which of them may be passed over
steps       a plan as commands of edittool, in their order
record      what is done: study.json
plan        the plan file
"""
