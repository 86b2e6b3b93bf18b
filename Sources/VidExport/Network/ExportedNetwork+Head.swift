import VidConfig
import VidModel
import VidTensor

extension ExportedNetwork {
    /// - Parameters:
    ///   - configuration: of the training.
    ///   - checkpoint: SHA-256 of the checkpoint.
    /// - Throws: `.badData` for a layer that no format has.
    package init(_ classifier: Classifier, _ configuration: RunConfiguration, checkpoint: String) throws {
        frames = try FrameNode.nodes(of: classifier.encoder.graph, classifier.parameters, of: configuration.model.input)
        features = classifier.features
        head = try HeadChain(configuration.model, features: classifier.features, classifier.parameters).nodes
        preprocessing =
            configuration.model.input.features == nil
            ? Preprocessing(configuration.data.preprocessing, channels: configuration.model.input.channels) : nil
        self.configuration = configuration
        classes = classifier.classes
        self.checkpoint = checkpoint
    }
}

/// The operations of a model's head in order, as `Head` chains its layers.
private struct HeadChain {
    private(set) var nodes: [HeadNode] = []
    private let store: ParameterStore
    private var takesSteps = true
    private var features: Int

    init(_ model: ModelConfiguration, features: Int, _ store: ParameterStore) throws {
        self.store = store
        self.features = features
        let finalState = model.recurrent.finalStateIndex
        for (index, layer) in model.recurrent.enumerated() {
            let name = "recurrent_\(index)"
            switch layer {
            case .lstm(let options): try addRecurrence(name, .lstm, options, returnsSteps: index != finalState)
            case .gru(let options): try addRecurrence(name, .gru, options, returnsSteps: index != finalState)
            case .conv1D(let options):
                let bias = options.useBias ? try store.exported(named: "\(name)/bias") : nil
                add(name, .convolution(options, kernel: try store.exported(named: "\(name)/kernel"), bias: bias))
                self.features = options.filters
            case .attention(let options): try addAttention(name, options)
            case .layerNormalization(let options): add(name, .layerNormalization(try layerNormalization(name, options)))
            case .batchNormalization(let options): try addNormalization(name, options)
            }
        }
        if finalState == nil {
            switch model.poolingOverTime {
            case .average: add("mean_over_time", .meanOverTime)
            case .flatten:
                add("flatten_over_time", .flattenOverTime)
                self.features *= model.input.frames
            }
            takesSteps = false
        }
        for (index, layer) in model.hidden.enumerated() {
            let name = "hidden_\(index)"
            switch layer {
            case .dense(let options): try addDense(name, options.activation)
            case .dropout: continue
            case .layerNormalization(let options): add(name, .layerNormalization(try layerNormalization(name, options)))
            case .batchNormalization(let options): try addNormalization(name, options)
            }
        }
        try addDense("output", .linear)
    }

    private mutating func add(_ name: String, _ operation: HeadOperation) {
        nodes.append(HeadNode(name: name, operation: operation, takesSteps: takesSteps, features: features))
    }

    private mutating func addRecurrence(_ name: String, _ cell: Recurrence.Cell, _ options: RecurrentOptions, returnsSteps: Bool) throws {
        let directions = try (options.bidirectional ? ["\(name)/forward", "\(name)/backward"] : [name]).map {
            ExportedRecurrence.Direction(
                kernel: try store.exported(named: "\($0)/kernel"), recurrentKernel: try store.exported(named: "\($0)/recurrent_kernel"),
                bias: try store.exported(named: "\($0)/bias"))
        }
        add(name, .recurrent(ExportedRecurrence(cell: cell, options: options, returnsSteps: returnsSteps, directions: directions)))
        features = directions.count * options.units
        takesSteps = returnsSteps
    }

    private mutating func addAttention(_ name: String, _ options: AttentionOptions) throws {
        func projection(_ part: String) throws -> ExportedAttention.Projection {
            .init(kernel: try store.exported(named: "\(name)/\(part)/kernel"), bias: try store.exported(named: "\(name)/\(part)/bias"))
        }
        add(
            name,
            .attention(
                ExportedAttention(
                    heads: options.numHeads, keyDimension: options.keyDimension(features: features), isCausal: options.useCausalMask,
                    query: try projection("query"), key: try projection("key"), value: try projection("value"),
                    result: try projection("attention_output"),
                    normalization: try layerNormalization("\(name)/layer_normalization", LayerNormalizationOptions()))))
    }

    private func layerNormalization(_ name: String, _ options: LayerNormalizationOptions) throws -> ExportedLayerNormalization {
        .init(
            gamma: try store.exported(named: "\(name)/gamma"), beta: try store.exported(named: "\(name)/beta"), epsilon: options.epsilon)
    }

    private mutating func addNormalization(_ name: String, _ options: BatchNormalizationOptions) throws {
        add(
            name,
            .normalization(
                ExportedNormalization(
                    gamma: try store.exported(named: "\(name)/gamma"), beta: try store.exported(named: "\(name)/beta"),
                    mean: try store.exported(named: "\(name)/moving_mean"), variance: try store.exported(named: "\(name)/moving_variance"),
                    epsilon: options.epsilon)))
    }

    private mutating func addDense(_ name: String, _ activation: ActivationName) throws {
        let kernel = try store.exported(named: "\(name)/kernel")
        add(name, .dense(kernel: kernel, bias: try store.exported(named: "\(name)/bias"), activation))
        features = kernel.shape[1]
    }
}
