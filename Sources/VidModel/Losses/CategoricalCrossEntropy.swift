import VidTensor

/// Categorical cross-entropy of softmax(logits), with Keras's label smoothing and a weight for each clip.
package struct CategoricalCrossEntropy: Sendable {
    /// Targets become (1 - s) target + s / classes.
    package let labelSmoothing: Float

    package init(labelSmoothing: Float = 0) { self.labelSmoothing = labelSmoothing }

    package struct Result {
        /// The sum over the clips of weight x cross-entropy; the mean is this divided by the clips of the whole batch.
        package let loss: Double
        /// d(loss / denominator)/d(logits), (B, classes), in the workspace.
        package let dLogits: Tensor
        /// Clips whose label has the highest score, regardless of weights.
        package let correct: Int

        package init(loss: Double, dLogits: Tensor, correct: Int) {
            self.loss = loss
            self.dLogits = dLogits
            self.correct = correct
        }
    }

    /// The loss of logits (B, classes) for one label a clip, and its gradient.
    ///
    /// - Parameters:
    ///   - weights: one factor a clip, or nil for ones.
    ///   - denominator: the number of clips of the whole batch, of which these may be a part: the gradients of the parts then add
    ///     up to the gradient of the mean.
    package func evaluate(_ logits: Tensor, labels: [Int], weights: [Float]? = nil, denominator: Int, _ context: Context) -> Result {
        let (batch, classes) = (logits.shape[0], logits.shape[1])
        precondition(labels.count == batch, "\(labels.count) labels for logits \(logits.shape)")
        let targets = context.workspace.takeZeroed(logits.shape)
        var metrics = CategoricalMetrics()
        for (row, label) in labels.enumerated() {
            precondition(label >= 0 && label < classes, "label \(label) of \(classes) classes")
            targets.base[row * classes + label] = 1
            metrics.add(scores: logits.base + row * classes, classes: classes, label: label)
        }
        let (loss, dLogits) = evaluate(logits, targets: targets, weights: weights, denominator: Double(denominator), context)
        return Result(loss: loss, dLogits: dLogits, correct: metrics.correct)
    }

    /// The same for targets (B, classes) whose rows sum to 1, such as mixtures of two labels; `denominator` as above.
    package func evaluate(
        _ logits: Tensor, targets: Tensor, weights: [Float]?, denominator: Double, _ context: Context
    ) -> (loss: Double, dLogits: Tensor) {
        let batch = logits.shape[0]
        let dLogits = context.workspace.take(logits.shape)
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let weightRow = weights.map { values in
            let row = context.workspace.take([batch])
            row.copy(from: values)
            return row
        }
        let scratch = context.workspace.take([2 * batch])
        let loss = scratch.base.withMemoryRebound(to: Double.self, capacity: batch) { losses in
            SoftmaxCrossEntropy.evaluate(
                logits: logits, targets: targets, weights: weightRow, smoothing: labelSmoothing, scale: Float(1 / denominator),
                losses: losses, gradient: dLogits, context.workers)
        }
        return (loss, dLogits)
    }
}
