"""Click commands, one file each: they parse, call the library and translate its errors."""
