"""From verdicts to tables."""
