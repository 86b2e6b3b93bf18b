import VidModel
import VidTensor

/// The targets of a batch.
package struct StepTargets {
    /// The class of each clip; with mixup, of the clip with the larger share.
    package let labels: [Int]
    /// One weight per class; nil: all are 1.
    package let classWeights: [Float]?
    package let mixUp: MixUp?

    package init(labels: [Int], classWeights: [Float]? = nil, mixUp: MixUp? = nil) {
        self.labels = labels
        self.classWeights = classWeights
        self.mixUp = mixUp
    }

    /// The weights of a clip's two targets: its share of the mix times the weight of its class.
    private func targetWeights(_ clip: Int) -> (own: Float, partner: Float) {
        let share = mixUp?.share ?? 1
        let partner = mixUp?.partners[clip] ?? clip
        return (share * (classWeights?[labels[clip]] ?? 1), (1 - share) * (classWeights?[labels[partner]] ?? 1))
    }

    /// One weight per clip: the sum of its targets' weights.
    private var weights: [Float]? {
        classWeights == nil
            ? nil
            : labels.indices.map { clip in
                let (own, partner) = targetWeights(clip)
                return own + partner
            }
    }

    /// The loss of logits (B, classes), its gradient, and the number of correct decisions.
    ///
    /// - Parameter denominator: the clips of the whole step.
    func evaluate(_ loss: CategoricalCrossEntropy, _ logits: Tensor, denominator: Int, _ context: Context) -> CategoricalCrossEntropy.Result
    {
        guard let mixUp else {
            return loss.evaluate(logits, labels: labels, weights: weights, denominator: denominator, context)
        }
        let classes = logits.shape[1]
        let targets = context.workspace.takeZeroed(logits.shape)
        var metrics = CategoricalMetrics()
        for (row, label) in labels.enumerated() {
            // Each row sums to 1; the clip's weight carries the sum of the two.
            let (own, partner) = targetWeights(row)
            let sum = own + partner
            targets.base[row * classes + label] += sum > 0 ? own / sum : 1
            targets.base[row * classes + labels[mixUp.partners[row]]] += sum > 0 ? partner / sum : 0
            metrics.add(scores: logits.base + row * classes, classes: classes, label: label)
        }
        let (sum, dLogits) = loss.evaluate(logits, targets: targets, weights: weights, denominator: Double(denominator), context)
        return CategoricalCrossEntropy.Result(loss: sum, dLogits: dLogits, correct: metrics.correct)
    }
}
