"""The editing methods, one file each, and the table that finds them."""
