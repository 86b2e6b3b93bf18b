"""The numbers that a report must have, by scikit-learn from the predictions.csv beside it.

Intervals: Wilson's by its closed form; the bootstrap's by the same resamples (Philox4x32-10, stream 0xB0 << 56 of seed 0, clip =
word * n >> 32), each evaluated by scikit-learn.
"""

import re
import warnings

import numpy
import pandas
from scipy import stats
from sklearn import metrics

warnings.filterwarnings("ignore")
Z = 1.959963984540054
RESAMPLES = 1000
BINS = 10


def wilson(successes, trials):
    if trials == 0:
        return None
    share = successes / trials
    centre = (share + Z * Z / (2 * trials)) / (1 + Z * Z / trials)
    half = Z / (1 + Z * Z / trials) * numpy.sqrt(share * (1 - share) / trials + Z * Z / (4 * trials * trials))
    return max(0.0, centre - half), min(1.0, centre + half)


def philox(count, stream):
    """The first `count` words of a stream of seed 0."""
    blocks = (count + 3) // 4
    mask = numpy.uint64(0xFFFFFFFF)
    block = numpy.arange(blocks, dtype=numpy.uint64)
    counter = [block & mask, block >> numpy.uint64(32), numpy.full(blocks, stream & 0xFFFFFFFF, numpy.uint64),
               numpy.full(blocks, stream >> 32, numpy.uint64)]
    k0 = k1 = 0
    for _ in range(10):
        p0 = numpy.uint64(0xD2511F53) * counter[0]
        p1 = numpy.uint64(0xCD9E8D57) * counter[2]
        counter = [(p1 >> numpy.uint64(32)) ^ counter[1] ^ numpy.uint64(k0), p1 & mask,
                   (p0 >> numpy.uint64(32)) ^ counter[3] ^ numpy.uint64(k1), p0 & mask]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return numpy.stack(counter, 1).reshape(-1)[:count]


def calibration(confidence, correct):
    """Expected calibration error and the bins (clips, mean score, share right); a bin is (m / M, (m + 1) / M]."""
    place = numpy.clip(numpy.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    bins = [(int((place == m).sum()), confidence[place == m], correct[place == m]) for m in range(BINS)]
    error = sum(abs(right.mean() - score.mean()) * count for count, score, right in bins if count) / len(confidence)
    return error, bins


def calibration_by_chance(bins):
    """The mean of |correct / clips - mean score| over binomial numbers of correct answers, weighted by the bins' clips."""
    total = 0
    for count, score, _ in bins:
        if count:
            # A mean of scores in single precision may exceed 1 by rounding.
            right, share = numpy.arange(count + 1), min(score.mean(), 1)
            total += (abs(right - count * share) * stats.binom.pmf(right, count, share)).sum()
    return total / sum(count for count, _, _ in bins)


class Expected:
    """The numbers by name."""

    def __init__(self, path):
        table = pandas.read_csv(path, dtype=str, keep_default_na=False)
        columns = [name for name in table.columns if name.startswith("score/")]
        classes = [name[len("score/"):] for name in columns]
        # As the program holds them: single precision, computed with in double.
        scores = table[columns].to_numpy().astype(numpy.float32).astype(numpy.float64)
        number = {name: place for place, name in enumerate(classes)}
        truth = table["label"].map(number).to_numpy()
        decision = scores.argmax(1)
        assert (decision == table["prediction"].map(number).to_numpy()).all(), "predictions are not the highest scores"
        labels = list(range(len(classes)))
        self.values = {}
        correct = decision == truth
        confidence = scores.max(1)
        clips = len(truth)
        everything = numpy.arange(clips)

        def brier(rows):
            return ((scores[rows] - numpy.eye(len(classes))[truth[rows]]) ** 2).sum(1).mean()

        statistics = {
            "loss": lambda rows: metrics.log_loss(truth[rows], scores[rows] / scores[rows].sum(1, keepdims=True), labels=labels),
            "brier": brier,
            "expected_calibration_error": lambda rows: calibration(confidence[rows], correct[rows])[0],
            "balanced_accuracy": lambda rows: metrics.balanced_accuracy_score(truth[rows], decision[rows]),
            "macro.f1": lambda rows: metrics.f1_score(truth[rows], decision[rows], average="macro", zero_division=0),
        }
        drawn = (philox(RESAMPLES * clips, 0xB0 << 56) * numpy.uint64(clips) >> numpy.uint64(32)).astype(int).reshape(RESAMPLES, clips)
        for name, statistic in statistics.items():
            self.values[name] = statistic(everything)
            samples = numpy.array([statistic(rows) for rows in drawn])
            low, high = numpy.percentile(samples, [2.5, 97.5])
            # None where resamples agree, as they do without an error. That of the calibration error would mislead.
            if high - low > 1e-9 and name != "expected_calibration_error":
                self.interval(name, (low, high))
        self.values |= {
            "clips": clips, "correct": int(correct.sum()), "accuracy": metrics.accuracy_score(truth, decision),
            "majority_share": numpy.bincount(truth).max() / clips, "mean_confidence": confidence.mean(),
            "expected_calibration_error.by_chance": calibration_by_chance(calibration(confidence, correct)[1]),
        }
        self.interval("accuracy", wilson(correct.sum(), clips))
        if len(classes) > 5:
            hits = metrics.top_k_accuracy_score(truth, scores, k=5, labels=labels, normalize=False)
            self.values["top_5_accuracy"] = hits / clips
            self.interval("top_5_accuracy", wilson(hits, clips))
        report = metrics.classification_report(truth, decision, output_dict=True, zero_division=0)
        for name, average in (("macro", report["macro avg"]), ("weighted", report["weighted avg"])):
            self.values |= {f"{name}.precision": average["precision"], f"{name}.recall": average["recall"],
                            f"{name}.f1": average["f1-score"]}
        matrix = metrics.confusion_matrix(truth, decision, labels=labels)
        precision, recall, f1, support = metrics.precision_recall_fscore_support(truth, decision, labels=labels, zero_division=0)
        for label in labels:
            decided, hits = matrix[:, label].sum(), matrix[label, label]
            name = f"class.{label}"
            self.values |= {f"{name}.support": support[label], f"{name}.precision": precision[label], f"{name}.recall": recall[label],
                            f"{name}.f1": f1[label]}
            self.interval(f"{name}.recall", wilson(hits, support[label]))
            self.interval(f"{name}.precision", wilson(hits, decided))
            share = wilson(hits, support[label] + decided - hits)
            self.interval(f"{name}.f1", share and tuple(2 * end / (1 + end) for end in share))
            for other in labels:
                self.values[f"confusion.{label}.{other}"] = matrix[label, other]
                self.values[f"confusion_percent.{label}.{other}"] = 100 * matrix[label, other] / max(support[label], 1)
        for place, (count, score, right) in enumerate(calibration(confidence, correct)[1]):
            if count:
                self.values |= {f"bin.{place}.clips": count, f"bin.{place}.confidence": score.mean(), f"bin.{place}.accuracy": right.mean()}
        self.scores = scores

    def interval(self, name, ends):
        if ends is not None:
            self.values[f"{name}.low"], self.values[f"{name}.high"] = ends

    def __getitem__(self, name):
        clip = re.fullmatch(r"clip\.(\d+)\.score\.(\d+)", name)
        if clip:
            return self.scores[int(clip[1]), int(clip[2])]
        return self.values.get(name)
