"""Reference numbers for vidclass's tests, from PyTorch, Keras, librosa, torchvision, scikit-learn, scipy and statsmodels."""
