import VidModel
import VidTensor

/// What a batch is held against.
package struct StepTargets {
    /// The class of each clip; of mixed clips, of the main one.
    package let labels: [Int]
    /// One weight a class, or nil for ones.
    package let classWeights: [Float]?
    package let mixture: MixUp?

    package init(labels: [Int], classWeights: [Float]? = nil, mixture: MixUp? = nil) {
        self.labels = labels
        self.classWeights = classWeights
        self.mixture = mixture
    }

    /// What the two targets of a clip count: its share of the mixture times its class's weight.
    private func counts(_ clip: Int) -> (own: Float, partner: Float) {
        let share = mixture?.share ?? 1
        let partner = mixture?.partners[clip] ?? clip
        return (share * (classWeights?[labels[clip]] ?? 1), (1 - share) * (classWeights?[labels[partner]] ?? 1))
    }

    /// One weight a clip: of mixed clips, the sum of what their targets count.
    private var weights: [Float]? {
        classWeights == nil
            ? nil
            : labels.indices.map { clip in
                let (own, partner) = counts(clip)
                return own + partner
            }
    }

    /// The loss of logits (B, classes), its gradient, and how many decisions are right.
    ///
    /// - Parameter denominator: the clips of the whole step.
    func evaluate(_ loss: CategoricalCrossEntropy, _ logits: Tensor, denominator: Int, _ context: Context) -> CategoricalCrossEntropy.Result {
        guard let mixture else {
            return loss.evaluate(logits, labels: labels, weights: weights, denominator: denominator, context)
        }
        let classes = logits.shape[1]
        let targets = context.workspace.takeZeroed(logits.shape)
        var metrics = CategoricalMetrics()
        for (row, label) in labels.enumerated() {
            // Rows sum to 1; the clip's weight brings the sum of the two back.
            let (own, partner) = counts(row)
            let sum = own + partner
            targets.base[row * classes + label] += sum > 0 ? own / sum : 1
            targets.base[row * classes + labels[mixture.partners[row]]] += sum > 0 ? partner / sum : 0
            metrics.add(scores: logits.base + row * classes, classes: classes, label: label)
        }
        let (sum, dLogits) = loss.evaluate(logits, targets: targets, weights: weights, denominator: Double(denominator), context)
        return CategoricalCrossEntropy.Result(loss: sum, dLogits: dLogits, correct: metrics.correct)
    }
}
