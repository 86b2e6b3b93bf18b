"""Compares the frames that vidclass decodes with those of PyAV, over kinds of video files.

    PYTHONPATH=Scripts python3 -m maintain.decoders [--only WORD ...] [--keep FOLDER] [--vidclass PROGRAM]
    PYTHONPATH=Scripts python3 -m maintain.decoders --speed [--rounds 5] [--only DECODER ...] [--keep FOLDER] [--vidclass PROGRAM]

The kinds are codecs, containers, pixel formats, odd sizes, orientations, pixel shapes and rates; ffmpeg makes a small file of each.
`pack --frames 0` must store the frames that PyAV shows, to 2 levels of 255, and `pack --frames 8` those that are shown in the middles
of eight equal parts of the duration. Exit code 1 if something differs or cannot be read.

With --speed `pack` is raced against PyAV, torchcodec, decord, OpenCV and the program ffmpeg, in turns, on one processor and on two: all
frames of a 10-second video of 1280 x 720, and 16 frames of one of five minutes and of one of an hour. Exit code 1 if one is faster.
"""

import pathlib
import sys
import tempfile

from maintain import environment


def main() -> None:
    parser = environment.parser(__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="the kinds, or decoders, whose name contains one of the words")
    parser.add_argument("--keep", type=pathlib.Path, metavar="FOLDER", help="make the files in FOLDER and keep them")
    parser.add_argument("--speed", action="store_true", help="race decoders instead of comparing frames")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="how often each decoder runs (default: 5)")
    environment.add_program(parser)
    options = parser.parse_args()
    names = ("av", "numpy", "torch", "torchcodec", "decord", "opencv-python-headless") if options.speed else ("av", "numpy")
    environment.enter(*names)

    from . import kinds, speed

    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or pathlib.Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        if options.speed:
            is_right = speed.run(options.vidclass, folder, options.rounds, options.only)
        else:
            is_right = kinds.run(options.vidclass, folder, options.only)
    sys.exit(0 if is_right else 1)


if __name__ == "__main__":
    main()
