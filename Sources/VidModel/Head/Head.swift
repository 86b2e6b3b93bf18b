import VidConfig
import VidTensor

/// All layers behind the CNN: features (B, T, F) and a mask (B, T) -> logits (B, classes).
///
/// First come the recurrent layers `recurrent_0`, ..., over the steps up to the lstm or gru that gives its final state, over that
/// vector after it; without a final state, the mean over time follows (`finalStateIndex` has the rule). Then come the hidden
/// layers `hidden_0`, ..., then the dense layer `output`. Its softmax is left to the loss, or to callers that need probabilities.
package struct Head: Sendable {
    /// F: features a frame.
    package let features: Int
    package let classes: Int
    /// The lines of the table of layers.
    package let layers: [LayerSummary]
    /// Multiplications and additions of the matrix products of a training step on features, for a clip.
    package let trainingFlops: Double
    private let stepFloats: (clip: Double, constant: Double)
    private let sequence: [any SequenceLayer]
    private let vector: [any Layer]

    /// Builds the layers and registers their parameters.
    ///
    /// - Throws: `.badData` for an activation that a recurrent layer cannot have.
    package init(_ configuration: ModelConfiguration, features: Int, classes: Int, _ layout: inout ParameterLayout) throws {
        var builder = HeadBuilder(steps: configuration.input.frames, features: features, layout)
        let finalState = configuration.recurrent.finalStateIndex
        for (index, layer) in configuration.recurrent.enumerated() {
            let name = "recurrent_\(index)"
            switch layer {
            case .lstm(let options): try builder.addRecurrent(name, .lstm, options, returnSequences: index != finalState)
            case .gru(let options): try builder.addRecurrent(name, .gru, options, returnSequences: index != finalState)
            case .conv1D(let options): builder.addConv1D(name, options)
            case .attention(let options): builder.addAttention(name, options)
            case .layerNormalization(let options): builder.addLayerNormalization(name, options)
            case .batchNormalization(let options): builder.addBatchNormalization(name, options)
            }
        }
        if finalState == nil {
            switch configuration.poolingOverTime {
            case .average: builder.add(MeanOverTime("mean_over_time"), type: "GlobalAveragePooling1D")
            case .flatten: builder.add(FlattenOverTime("flatten_over_time"), type: "Flatten")
            }
        }
        for (index, layer) in configuration.hidden.enumerated() {
            let name = "hidden_\(index)"
            switch layer {
            case .dense(let options): builder.addDense(name, options)
            case .dropout(let rate): builder.add(Dropout(name, rate: rate), type: "Dropout")
            case .layerNormalization(let options): builder.addLayerNormalization(name, options)
            case .batchNormalization(let options): builder.addBatchNormalization(name, options)
            }
        }
        builder.addDense("output", DenseOptions(units: classes, activation: .linear))
        self.features = features
        self.classes = classes
        layers = builder.summaries
        trainingFlops = builder.trainingFlops
        stepFloats = builder.stepFloats
        sequence = builder.sequence
        vector = builder.vector
        layout = builder.layout
    }

    /// Bytes that a training step on so many clips takes from the workspace, rounded up.
    package func stepBytes(clips: Int) -> Int {
        // A config may name extents whose product overflows an integer; the limit is more than any memory.
        Int(min((Double(clips) * stepFloats.clip + stepFloats.constant) * Double(MemoryLayout<Float>.stride), 0x1p60))
    }

    /// A forward pass, in the context's workspace.
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
        let sequenceSaved = sequence.map { layer in
            let saved = layer.forward(activations, mask: mask, context)
            activations = saved.output
            return saved
        }
        let vectorSaved = vector.map { layer in
            let saved = layer.forward(activations, context)
            activations = saved.output
            return saved
        }
        return Forward(logits: activations, mask: mask, sequence: sequenceSaved, vector: vectorSaved)
    }

    /// Adds the gradients of all parameters; returns that of the features (B, T, F) if it is asked for.
    package func backward(_ dLogits: Tensor, _ forward: Forward, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        var gradient = dLogits
        for (layer, saved) in zip(vector, forward.vector).reversed() {
            // Each of them has a layer before it: a recurrent one or the mean over time.
            guard let next = layer.backward(gradient, saved, context, needsInputGradient: true) else { return nil }
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

    /// The name of the first layer whose output for features (B, T, F) has a number that is not finite; nil if all are finite.
    package func firstNotFinite(_ features: Tensor, mask: Tensor?, _ context: Context) -> String? {
        let forward = forward(features, mask: mask, context)
        let outputs = zip(sequence.map(\.name) + vector.map(\.name), forward.sequence + forward.vector)
        return outputs.first { !Reductions.sumOfSquares($1.output, context.workers).isFinite }?.0
    }
}

/// Chains the head's layers and keeps their table.
private struct HeadBuilder {
    private(set) var layout: ParameterLayout
    private(set) var sequence: [any SequenceLayer] = []
    private(set) var vector: [any Layer] = []
    private(set) var summaries: [LayerSummary] = []
    /// Floats that a step takes from the workspace for each clip, and for any number of clips, rounded up.
    private(set) var stepFloats: (clip: Double, constant: Double) = (0, 0)
    /// Multiplications and additions of the matrix products of a training step on features, for a clip.
    private(set) var trainingFlops = 0.0
    /// A sample behind the layers so far: (T, F), or (F) once the time axis is gone.
    private var shape: Shape
    /// Parameters of the layers so far.
    private var entries: Int

    init(steps: Int, features: Int, _ layout: ParameterLayout) {
        self.layout = layout
        shape = [steps, features]
        entries = layout.entries.count
    }

    mutating func addRecurrent(_ name: String, _ cell: Recurrence.Cell, _ options: RecurrentOptions, returnSequences: Bool) throws {
        let features = shape.last
        let (steps, units, wide) = (Double(shape[0]), Double(options.units), Double(cell.gates * options.units))
        // The input three times (in order of the steps, and its gradient in both orders), gates and their gradients, states.
        let directions: Double = options.bidirectional ? 2 : 1
        let input = MatrixProduct.stepFloats(inputs: Double(features), outputs: wide)
        let state = MatrixProduct.stepFloats(inputs: units, outputs: wide)
        // A packed recurrent kernel fills up each gate by itself.
        let gates = Double(cell.gates) * PackedFilters.floats(depth: units, columns: units)
        let row = 3 * Double(features) + 14 * units + max(input.row, state.row)
        addStepFloats((directions * steps * row, max(input.constant, state.constant, gates)))
        addProducts(
            ofInput: directions * 2 * steps * Double(features) * wide, others: directions * 2 * (steps - 1) * units * wide)
        func layer(_ name: String, isReversed: Bool = false) throws -> RecurrentLayer {
            try RecurrentLayer(
                name, cell, features: features, options, returnSequences: returnSequences, isReversed: isReversed, &layout)
        }
        if options.bidirectional {
            let forwards = try layer("\(name)/forward")
            add(
                Bidirectional(name, forwards: forwards, backwards: try layer("\(name)/backward", isReversed: true)),
                type: "Bidirectional(\(cell.rawValue))")
        } else {
            add(try layer(name), type: cell.rawValue)
        }
    }

    mutating func addConv1D(_ name: String, _ options: Conv1DOptions) {
        addStepFloats(Conv1D.stepFloats(steps: shape[0], features: shape.last, options))
        addProducts(ofInput: 2 * Double(shape[0]) * Double(options.kernelSize) * Double(shape.last) * Double(options.filters))
        add(Conv1D(name, features: shape.last, options, &layout), type: "Conv1D")
    }

    mutating func addAttention(_ name: String, _ options: AttentionOptions) {
        addStepFloats(Attention.stepFloats(steps: shape[0], features: shape.last, options))
        let (steps, features) = (Double(shape[0]), Double(shape.last))
        let wide = Double(options.numHeads) * Double(options.keyDimension(features: shape.last))
        // Queries, keys and values; then the output, and the weights and their sums over the values.
        addProducts(ofInput: 3 * 2 * steps * features * wide, others: 2 * steps * wide * (features + 2 * steps))
        add(Attention(name, features: shape.last, options, &layout), type: "MultiHeadAttention")
    }

    mutating func addLayerNormalization(_ name: String, _ options: LayerNormalizationOptions) {
        // Mean and deviation of each row.
        addStepFloats((Double(2 * (shape.rank == 2 ? shape[0] : 1) + 32), 0))
        let layer = LayerNormalization(name, features: shape.last, options: options, &layout)
        if shape.rank == 2 {
            add(layer as any SequenceLayer, type: "LayerNormalization")
        } else {
            add(layer as any Layer, type: "LayerNormalization")
        }
    }

    mutating func addBatchNormalization(_ name: String, _ options: BatchNormalizationOptions) {
        let layer = BatchNormalization(name, features: shape.last, options: options, &layout)
        if shape.rank == 2 {
            add(layer as any SequenceLayer, type: "BatchNormalization")
        } else {
            add(layer as any Layer, type: "BatchNormalization")
        }
    }

    mutating func addDense(_ name: String, _ options: DenseOptions) {
        let (features, units) = (Double(shape.last), Double(options.units))
        let rows = Double(shape.rank == 2 ? shape[0] : 1)
        let products = MatrixProduct.stepFloats(inputs: features, outputs: units)
        addStepFloats((rows * products.row, products.constant))
        addProducts(ofInput: 2 * rows * features * units)
        add(Dense(name, features: shape.last, units: options.units, activation: options.activation, &layout), type: "Dense")
    }

    mutating func add(_ layer: any SequenceLayer, type: String) {
        sequence.append(layer)
        summarize(layer.name, type, output: layer.outputShape(shape))
    }

    mutating func add(_ layer: any Layer, type: String) {
        vector.append(layer)
        summarize(layer.name, type, output: layer.outputShape(shape))
    }

    /// Counts the operations of a layer's products forward for a clip; backward each product has two. The gradient of the head's input
    /// is none of a training on features.
    private mutating func addProducts(ofInput input: Double, others: Double = 0) {
        trainingFlops += 3 * (input + others) - (summaries.isEmpty ? input : 0)
    }

    private mutating func addStepFloats(_ floats: (clip: Double, constant: Double)) {
        stepFloats.clip += floats.clip
        stepFloats.constant += floats.constant
    }

    private mutating func summarize(_ name: String, _ type: String, output: Shape) {
        // The output, its gradient and those of the input.
        addStepFloats((2 * Double(shape.count) + 2 * Double(output.count) + 64, 0))
        shape = output
        let own = layout.entries[entries...]
        entries = layout.entries.count
        summaries.append(
            LayerSummary(
                name: name, type: type, outputShape: output, parameters: own.reduce(0) { $0 + $1.shape.count },
                isTrainable: own.contains { $0.isTrainable }))
    }
}
