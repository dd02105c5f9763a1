"""Reporting: tables, charts and a page from files of verdicts, and explanations of single verdicts.

Imports run one way, from build down:

    build                           the report of observations
    write, explain, page            outputs
    report                          tables and charts, by section
    questions, charts               a table for each question, charts of these tables
    count                           units, baselines, pass@k, intervals
    read, table                     verdicts as columns; columns, cells, layout
    options, research_questions, printable
"""
