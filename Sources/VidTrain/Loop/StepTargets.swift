import VidModel
import VidTensor

/// What a batch is held against.
package struct StepTargets {
    /// The class of each clip; of mixed clips, of the main one.
    package let labels: [Int]
    /// One weight a class, or nil for ones.
    package let classWeights: [Float]?
    package let mixture: Mixture?

    package init(labels: [Int], classWeights: [Float]? = nil, mixture: Mixture? = nil) {
        self.labels = labels
        self.classWeights = classWeights
        self.mixture = mixture
    }

    /// One weight a clip; of mixed clips, the weights mixed.
    private var weights: [Float]? {
        classWeights.map { weights in
            labels.indices.map { clip in
                guard let mixture else { return weights[labels[clip]] }
                return mixture.share * weights[labels[clip]] + (1 - mixture.share) * weights[labels[mixture.partners[clip]]]
            }
        }
    }

    /// The loss of logits (B, classes), its gradient, and how many decisions are right.
    ///
    /// - Parameter denominator: the clips of the whole step.
    func evaluate(_ loss: CategoricalCrossEntropy, _ logits: Tensor, denominator: Int, _ pass: Pass) -> CategoricalCrossEntropy.Result {
        guard let mixture else {
            return loss.evaluate(logits, labels: labels, weights: weights, denominator: denominator, pass)
        }
        let classes = logits.shape[1]
        let targets = pass.workspace.takeZeroed(logits.shape)
        var metrics = CategoricalMetrics()
        for (row, label) in labels.enumerated() {
            targets.base[row * classes + label] += mixture.share
            targets.base[row * classes + labels[mixture.partners[row]]] += 1 - mixture.share
            metrics.add(scores: logits.base + row * classes, classes: classes, label: label)
        }
        let (sum, dLogits) = loss.evaluate(logits, targets: targets, weights: weights, denominator: Double(denominator), pass)
        return CategoricalCrossEntropy.Result(loss: sum, dLogits: dLogits, correct: metrics.correct)
    }
}
