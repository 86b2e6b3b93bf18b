"""What maintainers run: golden numbers, comparisons with other programs, and the long checks.

    PYTHONPATH=Scripts python3 -m maintain                  lists them
    PYTHONPATH=Scripts python3 -m maintain.examples --help

Each is run from the project's root. Those that need packages from PyPI run in a virtual environment that they make in
.build/python (`environment`).
"""
