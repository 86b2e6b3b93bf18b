import VidConfig
import VidModel

/// One clip's scores.
package struct ClipScores: Sendable {
    /// Relative to the data folder.
    package let clip: String
    /// The true class, an index into the classes.
    package let label: Int
    /// Probabilities, one a class.
    package let scores: [Float]
    /// Whether the clip looks unlike the training clips (`Familiarity`); nil if the model has no data to tell.
    package let isUnfamiliar: Bool?

    package init(clip: String, label: Int, scores: [Float], isUnfamiliar: Bool? = nil) {
        self.clip = clip
        self.label = label
        self.scores = scores
        self.isUnfamiliar = isUnfamiliar
    }

    /// The class with the highest score; the first of equals.
    package var decision: Int { scores.indices.max { scores[$0] < scores[$1] || (scores[$0] == scores[$1] && $0 > $1) } ?? 0 }

    /// The highest score.
    package var confidence: Double { Double(scores[decision]) }

    /// Whether the true class is among the `k` highest scores, as `CategoricalMetrics` counts it.
    package func isInTop(_ k: Int) -> Bool {
        scores.withUnsafeBufferPointer { CategoricalMetrics.isInTop(k, scores: $0, label: label) }
    }

    /// The squared distance of the scores from the truth, 0 to 2 (G. W. Brier, 1950).
    package var brier: Double {
        scores.indices.reduce(0) { sum, index in
            let distance = Double(scores[index]) - (index == label ? 1 : 0)
            return sum + distance * distance
        }
    }
}

/// How well a classifier does on labelled clips.
package struct Evaluation: Sendable {
    package let classes: [String]
    package let clips: [ClipScores]
    /// Mean categorical cross-entropy, natural logarithm, without label smoothing.
    package let loss: Double
    /// Rows are the truth, columns the decision.
    package let confusion: [[Int]]
    package let counts: ClassCounts

    /// - Parameter losses: cross-entropy of each clip, summed in this order.
    package init(classes: [String], clips: [ClipScores], losses: [Double]) {
        self.classes = classes
        self.clips = clips
        loss = losses.reduce(0, +) / Double(max(losses.count, 1))
        var confusion = [[Int]](repeating: [Int](repeating: 0, count: classes.count), count: classes.count)
        var counts = ClassCounts(classes: classes.count)
        for clip in clips {
            let decision = clip.decision
            confusion[clip.label][decision] += 1
            counts.add(label: clip.label, decision: decision)
        }
        (self.confusion, self.counts) = (confusion, counts)
    }

    package var accuracy: Double { topAccuracy(1) }

    /// Categorical accuracy; with `k` over one, top-k categorical accuracy. A clip whose decision is its label counts.
    package func topAccuracy(_ k: Int) -> Double {
        Double(clips.count { $0.isInTop(k) }) / Double(max(clips.count, 1))
    }

    /// Clips that look unlike the training clips; nil if that is not known.
    package var unfamiliarClips: Int? {
        clips.contains { $0.isUnfamiliar == nil } ? nil : clips.count { $0.isUnfamiliar == true }
    }

    /// The mean F1 of the classes that are the truth or the decision of some clip, as scikit-learn computes it.
    package var macroF1: Double { counts.macro.f1 }

    package var calibration: Calibration {
        var calibration = Calibration()
        for clip in clips {
            let (decision, confidence) = (clip.decision, clip.confidence)
            calibration.add(confidence: confidence, bin: Calibration.bin(of: confidence), isCorrect: decision == clip.label)
        }
        return calibration
    }

    /// The value of a metric, for `classIndex` where it is one of a single class; nil for a metric of the training itself.
    package func value(of kind: Metric.Kind, classIndex: Int? = nil) -> Double? {
        switch kind {
        case .loss, .categoricalAccuracy: nil
        case .validationLoss: loss
        case .validationAccuracy: accuracy
        case .validationTop5: topAccuracy(5)
        case .validationMacroF1: macroF1
        case .validationBalancedAccuracy: counts.balancedAccuracy
        case .validationCalibrationError: calibration.expectedError
        case .validationBrier: clips.reduce(0) { $0 + $1.brier } / Double(max(clips.count, 1))
        case .validationPrecision: classIndex.map(counts.precision)
        case .validationRecall: classIndex.map(counts.recall)
        case .validationF1: classIndex.map(counts.f1)
        }
    }
}
