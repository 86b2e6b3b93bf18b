"""Whether vidclass learns as well as its peers."""
