"""Arguments, options, output and exit codes that several commands share."""
