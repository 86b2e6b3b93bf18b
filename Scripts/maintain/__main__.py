"""Lists what there is."""

import ast
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent


def main() -> None:
    print("PYTHONPATH=Scripts python3 -m maintain.NAME [--help], from the project's root:\n")
    for path in sorted(FOLDER.iterdir()):
        source = path / "__main__.py" if path.is_dir() else path
        if source.suffix == ".py" and source.exists() and path.stem != "__main__":
            tree = ast.parse(source.read_text())
            if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
                print(f"  {path.stem:13} {(ast.get_docstring(tree) or '').splitlines()[0]}")


if __name__ == "__main__":
    main()
