"""What is published about tickets that are found by training masks."""
