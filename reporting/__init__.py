"""Reporting: tables, charts and a page from files of verdicts, and explanations of single verdicts.

Imports run one way, from the top down:

    page                            the report as HTML, with every sample
    build, write, explain           the report of observations; its other outputs; single verdicts
    report                          tables and charts, by section
    questions, charts               a table for each question; charts of these tables
    count                           units, baselines, pass@k, intervals
    read, table                     verdicts as columns; columns, cells, layout
    finding, bounds, options, research_questions, printable
"""
