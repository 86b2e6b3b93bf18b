import VidConfig
import VidTensor

/// All that stands behind the CNN: features (B, T, F) and a mask (B, T) -> logits (B, classes).
///
/// Recurrent layers `recurrent_0`, ..., of which the last lstm or gru gives its final state (without any: the mean over
/// time); hidden layers `hidden_0`, ...; and the dense layer `output`, whose softmax is left to the loss or to whoever
/// wants probabilities.
package struct Head: Sendable {
    /// F: features a frame.
    package let features: Int
    package let classes: Int
    /// In order, for the table of layers.
    package let layers: [LayerSummary]
    private let stepFloats: (clip: Int, constant: Int)
    private let sequence: [any SequenceLayer]
    private let vector: [any Layer]

    /// Builds the layers and registers their parameters.
    ///
    /// - Throws: `.badData` for an activation that a recurrent layer cannot have.
    package init(_ configuration: ModelConfiguration, features: Int, classes: Int, _ layout: inout ParameterLayout) throws {
        var builder = HeadBuilder(steps: configuration.input.frames, features: features, layout)
        let lastRecurrent = configuration.recurrent.lastIndex { !$0.isBatchNormalization }
        for (index, layer) in configuration.recurrent.enumerated() {
            let name = "recurrent_\(index)"
            switch layer {
            case .lstm(let options):
                try builder.addRecurrent(name, .lstm, options, returnSequences: index != lastRecurrent)
            case .gru(let options):
                try builder.addRecurrent(name, .gru, options, returnSequences: index != lastRecurrent)
            case .batchNormalization(let options):
                builder.addBatchNormalization(name, options)
            }
        }
        if lastRecurrent == nil { builder.addMeanOverTime("mean_over_time") }
        for (index, layer) in configuration.hidden.enumerated() {
            let name = "hidden_\(index)"
            switch layer {
            case .dense(let options): builder.addDense(name, options)
            case .dropout(let rate): builder.addDropout(name, rate: rate)
            case .batchNormalization(let options): builder.addBatchNormalization(name, options)
            }
        }
        builder.addDense("output", DenseOptions(units: classes, activation: .linear))
        self.features = features
        self.classes = classes
        layers = builder.summaries
        stepFloats = builder.stepFloats
        sequence = builder.sequence
        vector = builder.vector
        layout = builder.layout
    }

    /// Bytes that a training step on so many clips takes from the workspace, rounded up.
    package func stepBytes(clips: Int) -> Int {
        // A config may name extents whose product overflows; what it then comes to is more than any memory.
        Int(min((Double(clips) * Double(stepFloats.clip) + Double(stepFloats.constant)) * Double(MemoryLayout<Float>.stride), 0x1p60))
    }

    /// What a forward pass leaves for the backward pass, in the pass's workspace.
    package struct Forward {
        /// (B, classes).
        package let logits: Tensor
        fileprivate let mask: Tensor?
        fileprivate let sequence: [Saved]
        fileprivate let vector: [Saved]
    }

    /// Features (B, T, F), `mask` (B, T) of ones and zeros or nil -> logits.
    package func forward(_ features: Tensor, mask: Tensor?, _ context: Context) -> Forward {
        precondition(
            features.shape.rank == 3 && features.shape[2] == self.features, "features \(features.shape) for (B, T, \(self.features))")
        precondition(
            mask.map { $0.shape == [features.shape[0], features.shape[1]] } ?? true, "a mask \(mask?.shape ?? []) for \(features.shape)")
        var activations = features
        var sequenceSaved: [Saved] = []
        sequenceSaved.reserveCapacity(sequence.count)
        for layer in sequence {
            let saved = layer.forward(activations, mask: mask, context)
            activations = saved.output
            sequenceSaved.append(saved)
        }
        var vectorSaved: [Saved] = []
        vectorSaved.reserveCapacity(vector.count)
        for layer in vector {
            let saved = layer.forward(activations, context)
            activations = saved.output
            vectorSaved.append(saved)
        }
        return Forward(logits: activations, mask: mask, sequence: sequenceSaved, vector: vectorSaved)
    }

    /// Adds the gradients of all parameters; returns that of the features (B, T, F) if it is asked for.
    package func backward(_ dLogits: Tensor, _ forward: Forward, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        var gradient = dLogits
        for index in vector.indices.reversed() {
            // Something stands before every one of them: a recurrent layer or the mean over time.
            guard let next = vector[index].backward(gradient, forward.vector[index], context, needsInputGradient: true) else { return nil }
            gradient = next
        }
        for index in sequence.indices.reversed() {
            let needs = needsInputGradient || index > 0
            guard
                let next = sequence[index].backward(
                    gradient, forward.sequence[index], mask: forward.mask, context, needsInputGradient: needs)
            else { return nil }
            gradient = next
        }
        return gradient
    }
}

extension RecurrentLayerConfiguration {
    fileprivate var isBatchNormalization: Bool {
        if case .batchNormalization = self { true } else { false }
    }
}

extension Head {
    /// The name of the first layer whose output for features (B, T, F) holds a number that is not finite; nil where all are.
    package func firstNotFinite(_ features: Tensor, mask: Tensor?, _ context: Context) -> String? {
        let forward = forward(features, mask: mask, context)
        func isFinite(_ saved: Saved) -> Bool { Reductions.sumOfSquares(saved.output, context.workers).isFinite }
        return zip(sequence, forward.sequence).first { !isFinite($1) }?.0.name
            ?? zip(vector, forward.vector).first { !isFinite($1) }?.0.name
    }
}
