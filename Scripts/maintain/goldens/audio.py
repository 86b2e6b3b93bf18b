"""Goldens of sound: spectrograms and mel filters by librosa.

librosa computes in the precision of its input. The goldens are those of double precision (of samples that are floats), so
that what a test measures is vidclass's own error; how far librosa is from them in single precision, as it is mostly used,
is printed.
"""

import warnings

import librosa
import numpy as np
from maintain import environment

from . import golden


def write(folder):
    # A sound shorter than a transform is one of the cases.
    warnings.filterwarnings("ignore", message="n_fft=.* is too large")
    versions = environment.installed(("librosa", "numpy", "scipy", "safetensors"))
    for name, (tensors, cases) in {"mel_filters": mel_filters(), "spectrograms": spectrograms()}.items():
        golden.save(folder, name, tensors, {"cases": cases, "versions": versions})


def mel_filters():
    """librosa.filters.mel for several rates, lengths and ranges: tensors `case`, notes of their parameters."""
    cases = {
        "speech": dict(sr=16000, n_fft=1024, n_mels=64, fmin=0.0, fmax=None),
        "narrow": dict(sr=22050, n_fft=600, n_mels=40, fmin=50.0, fmax=8000.0),
        "odd": dict(sr=8000, n_fft=401, n_mels=20, fmin=300.5, fmax=3400.0),
        "linear": dict(sr=16000, n_fft=512, n_mels=10, fmin=0.0, fmax=1000.0),
        # Bands narrower than a step in frequency: some are empty.
        "empty": dict(sr=44100, n_fft=256, n_mels=64, fmin=0.0, fmax=None),
    }
    tensors = {}
    for name, case in cases.items():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Empty filters detected")
            tensors[name] = librosa.filters.mel(**case, htk=False, norm="slaney", dtype=np.float64).astype(np.float32)
    return tensors, cases


def sounds(random):
    """Samples, float32, and the parameters of their spectrograms."""
    def chirp(rate, seconds, first, last):
        t = np.arange(int(rate * seconds)) / rate
        return np.sin(2 * np.pi * (first * t + (last - first) / (2 * seconds) * t**2))

    impulse = np.zeros(1500)
    impulse[700] = 0.5
    default = dict(sr=16000, n_fft=1024, hop_length=256, n_mels=64, fmin=0.0, fmax=None, top_db=80.0)
    return {
        "noise": (random.normal(0, 0.1, 6000), default),
        "sweep": (0.8 * chirp(16000, 0.4, 50, 7900), default),
        "sweep_in_noise_22050": (
            0.3 * chirp(22050, 0.2, 8000, 100) + random.normal(0, 1e-3, 4410),
            dict(sr=22050, n_fft=600, hop_length=150, n_mels=40, fmin=50.0, fmax=8000.0, top_db=60.0)),
        "tone_44100": (
            0.5 * np.sin(2 * np.pi * 440 * np.arange(6000) / 44100),
            dict(sr=44100, n_fft=2048, hop_length=512, n_mels=32, fmin=20.0, fmax=None, top_db=80.0)),
        "odd_8000": (
            random.uniform(-1, 1, 2000), dict(sr=8000, n_fft=401, hop_length=97, n_mels=20, fmin=300.5, fmax=3400.0, top_db=40.0)),
        "hop_beyond_n_fft": (
            random.uniform(-1, 1, 3000), dict(sr=8000, n_fft=128, hop_length=300, n_mels=8, fmin=0.0, fmax=None, top_db=80.0)),
        "impulse": (impulse, default),
        "shorter_than_n_fft": (random.normal(0, 0.2, 100), default),
        "one_sample": (np.array([0.25]), default),
        "silence": (np.zeros(1200), default),
        # Powers around and below amin.
        "faint": (random.normal(0, 1e-7, 2000), default),
        "quiet_and_loud": (np.concatenate([1e-5 * random.normal(0, 1, 1500), chirp(16000, 0.1, 300, 3000)]), default),
    }


def spectrograms():
    """Tensors `case/samples`, `case/power` and `case/decibels` (both n_mels x steps), notes of the parameters."""
    random = np.random.default_rng(21)
    tensors, notes = {}, {}
    for name, (samples, case) in sounds(random).items():
        samples = samples.astype(np.float32)

        def power_of(samples, kind):
            parameters = {key: value for key, value in case.items() if key != "top_db"}
            return librosa.feature.melspectrogram(
                y=samples.astype(kind), **parameters, power=2.0, window="hann", center=True, pad_mode="constant", htk=False,
                norm="slaney", dtype=kind)

        def decibels_of(power):
            return librosa.power_to_db(power, ref=np.max, amin=1e-10, top_db=case["top_db"])

        power, single = power_of(samples, np.float64), power_of(samples, np.float32)
        decibels = decibels_of(power)
        tensors |= {f"{name}/samples": samples, f"{name}/power": power, f"{name}/decibels": decibels}
        notes[name] = case
        print(
            f"{name}: {power.shape}; librosa in single precision differs by"
            f" {np.abs(single - power).max() / max(power.max(), 1e-30):.2g} of the largest power,"
            f" {np.abs(decibels_of(single) - decibels).max():.2g} dB")
    return {key: np.ascontiguousarray(value, dtype=np.float32) for key, value in tensors.items()}, notes
