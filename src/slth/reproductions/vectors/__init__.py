"""What is published about subset sums of vectors."""

__all__ = ["cube", "one_dimension", "scaled_normals", "second_moment", "success"]  # modules, loaded when asked for
