"""Shapes are checked at run time wherever a signature or a record names one; the other types are pyright's.

The import hook of jaxtyping wraps every function there is, and a function inside a function anew at each call of the
outer one: most of the time of a test went there.
"""

import ast
from typing import Any

import jaxtyping
from beartype import beartype
from jaxtyping import _import_hook

SOURCES = ("slth._shapes", "slth.data._examples", "jaxtyping")  # where names of shapes come from


def checked(fn: Any) -> Any:
    """The type checker of the hook; a name of its own, for compiled modules are cached by it."""
    return beartype(fn)


class ShapesOnly(_import_hook.JaxtypingTransformer):
    """Wraps what names a shape, but no function inside a function."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        imports = [child for child in node.body if isinstance(child, ast.ImportFrom) and child.module in SOURCES]
        self.shapes = {alias.asname or alias.name for child in imports for alias in child.names}
        for child in node.body:  # names of its own for shapes, and those made of them
            if isinstance(child, ast.Assign) and self.named([child.value]):
                self.shapes |= {name.id for name in child.targets if isinstance(name, ast.Name)}
        return super().visit_Module(node) if self.shapes else node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        fields = [child.annotation for child in node.body if isinstance(child, ast.AnnAssign)]
        if self.named(fields):
            return super().visit_ClassDef(node)
        self.generic_visit(node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        if self.named([node.returns, *(one.annotation for one in every if one is not None)]):
            inside, node.body = node.body, [ast.Pass()]
            super().visit_FunctionDef(node)
            node.body = inside
        return node

    def named(self, annotations: list[ast.expr | None]) -> bool:
        return any(
            isinstance(part, ast.Name) and part.id in self.shapes
            for annotation in annotations
            if annotation is not None
            for part in ast.walk(annotation)
        )


def install() -> None:
    """Before the first import of slth."""
    _import_hook.JaxtypingTransformer = ShapesOnly
    jaxtyping.install_import_hook("slth", f"{__name__}.checked")
