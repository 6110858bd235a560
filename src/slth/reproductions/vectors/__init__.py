"""What is published about subset sums of vectors."""
