"""The parts of Scripts/bench_peers.py: the measurements (`encode`, `step`, `head`, `frozen`, `predict`), what runs and
reports them, and in `programs` the peers' programs. Standard library only, except in `programs`."""
