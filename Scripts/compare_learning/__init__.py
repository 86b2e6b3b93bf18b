"""Whether vidclass learns as well as its peers: the parts of compare_learning.py."""
