"""The report as one HTML page that needs no network: tables, plots, and a browser of all samples."""
