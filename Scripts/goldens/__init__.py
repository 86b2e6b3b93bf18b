"""Reference numbers for vidclass's tests, from PyTorch and Keras."""
