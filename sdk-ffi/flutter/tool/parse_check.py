#!/usr/bin/env python3
"""Parses every Dart file of this package: those that need Flutter or a browser are run by nobody where there is neither.

    python3 sdk-ffi/flutter/tool/parse_check.py

It makes a virtual environment with a Dart grammar in the build folder, once. It proves that the files are Dart, and
nothing about their types.
"""

import os
import pathlib
import subprocess
import sys
import venv

PACKAGE = pathlib.Path(__file__).resolve().parents[1]
REPOSITORY = PACKAGE.parents[1]
BUILD = REPOSITORY / os.environ.get("CARGO_TARGET_DIR", "target") / "ffi"
GRAMMAR = ["tree-sitter==0.25.2", "tree-sitter-dart==0.1.0"]


def main() -> int:
    python = BUILD / "parse-check" / "bin" / "python"
    if pathlib.Path(sys.prefix) != python.parents[1]:
        return subprocess.call([prepared(python), __file__])
    return check(sorted(dart_files()))


def prepared(python: pathlib.Path) -> pathlib.Path:
    """The interpreter of an environment that has the grammar."""
    if not python.exists():
        venv.create(python.parents[1], with_pip=True, clear=True)
    subprocess.check_call([python, "-m", "pip", "install", "--quiet", *GRAMMAR])
    return python


def dart_files():
    made = {".dart_tool", "build"}
    return (path for path in PACKAGE.rglob("*.dart") if made.isdisjoint(path.relative_to(PACKAGE).parts[:-1]))


def check(paths: list[pathlib.Path]) -> int:
    import tree_sitter
    import tree_sitter_dart

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_dart.language()))
    wrong = 0
    for path in paths:
        for node in errors(parser.parse(path.read_bytes()).root_node):
            wrong += 1
            print(f"{path.relative_to(REPOSITORY)}:{node.start_point[0] + 1}:{node.start_point[1] + 1}: {node.type}")
    print(f"{len(paths)} files, {wrong} errors")
    return 1 if wrong or not paths else 0


def errors(node):
    if node.is_error or node.is_missing:
        yield node
        return
    if node.has_error:
        for child in node.children:
            yield from errors(child)


if __name__ == "__main__":
    sys.exit(main())
