"""What does the work of a deprecated API in a program that passes without it."""
