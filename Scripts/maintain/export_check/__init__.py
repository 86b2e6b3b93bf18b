"""Exported models of random configurations and real networks, run by ONNX Runtime, OpenVINO, Keras and PyTorch."""
