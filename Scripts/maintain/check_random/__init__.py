"""A differential test: random configurations trained by vidclass and by PyTorch in double precision."""
