#!/usr/bin/env python3
"""Makes the golden files of explanations: what PyTorch's autograd says of which frames and regions spoke for a class.

    python3 Scripts/make_explain_goldens.py            writes Tests/VidModelTests/Goldens/explain_*.safetensors
    python3 Scripts/make_explain_goldens.py --check    makes them anew and compares with the committed ones

The environment is that of Scripts/make_goldens.py. Seeds are fixed; everything is computed in double precision.
"""

import argparse
import pathlib
import sys
import tempfile

from goldens import environment


def main():
    parser = argparse.ArgumentParser(description="Makes the goldens of explanations.")
    parser.add_argument("--check", action="store_true", help="compare with the committed files, write nothing")
    arguments = parser.parse_args()
    environment.enter()

    from goldens import cases, explain_goldens
    from make_goldens import compare

    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) if arguments.check else cases.FOLDER
        for golden in explain_goldens.make():
            golden.save(folder)
        if arguments.check:
            sys.exit(compare(folder, cases.FOLDER))


if __name__ == "__main__":
    main()
