"""What is published about constructed tickets of whole networks."""
