"""The candidate's process: everything here runs beside code that a model wrote."""
