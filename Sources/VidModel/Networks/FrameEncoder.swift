import VidConfig
import VidSystem
import VidTensor

/// A network applied to every frame by itself: Keras's `TimeDistributed(CNN -> pooling)`.
///
/// Frames (N, H, W, C) become features (N, F), or maps (N, H', W', C'). `encode` saves nothing: it processes the frames a few
/// at a time, in memory that is used again as soon as a layer's output is no longer needed. Training
/// (FrameEncoder+Training.swift) saves the activations that an `ActivationPlan` selects. Neither the plan nor the number of
/// threads changes the bits of features and gradients.
package struct FrameEncoder: Sendable {
    package let graph: NetworkGraph
    /// The index of the first node that is trained, where gradients end; the number of nodes when all are frozen.
    package let firstTrainable: Int
    /// Whether the gradient of each node's output is needed: it, or a node before it, is trained.
    let needsGradient: [Bool]
    let gradients: GradientPlan
    private let steps: [InferenceStep]

    /// The shape of a frame.
    package var inputShape: Shape { graph.inputShape }
    /// The shape of each layer's output for one frame.
    package var shapes: [Shape] { graph.shapes }
    package var outputShape: Shape { shapes[shapes.count - 1] }
    package var isTrainable: Bool { firstTrainable < graph.nodes.count }
    package var layers: [any NetworkLayer] { graph.nodes.map(\.layer) }

    package init(_ graph: NetworkGraph) {
        self.graph = graph
        firstTrainable = graph.nodes.firstIndex { $0.layer.isTrainable } ?? graph.nodes.count
        var needs: [Bool] = []
        for node in graph.nodes { needs.append(node.layer.isTrainable || node.inputs.contains { $0 >= 0 && needs[$0] }) }
        needsGradient = needs
        gradients = GradientPlan(graph, needs: needs)
        steps = graph.steps(0..<graph.nodes.count, isFolding: true)
    }

    /// A network of layers one after the other.
    package init(layers: [any FrameLayer], inputShape: Shape) {
        self.init(NetworkGraph(layers.enumerated().map { .init($1, $0 - 1) }, inputShape: inputShape))
    }

    /// The part of a model that sees each frame by itself: its CNN, or without one a flattening and, for vectors, their standardization.
    package init(_ model: ModelConfiguration, layout: inout ParameterLayout) throws {
        let input = model.input
        guard let cnn = model.cnn else {
            var layers: [any FrameLayer] = [Flatten()]
            if let features = input.features, input.standardize { layers.append(Normalization(features: features, &layout)) }
            self.init(layers: layers, inputShape: [input.rows, input.columns, input.channels])
            return
        }
        try self.init(cnn, input: input, layout: &layout)
    }

    /// The CNN of a configuration with its pooling, for frames of shape (rows, columns, channels); parameters below `cnn/`.
    package init(_ configuration: CNNConfiguration, input: InputConfiguration, layout: inout ParameterLayout) throws {
        let pooling: any FrameLayer =
            switch configuration.pooling {
            case .average: GlobalAveragePooling2D()
            case .max: GlobalMaxPooling2D()
            case .flatten: Flatten()
            }
        try self.init(
            configuration.architecture, input: [input.rows, input.columns, input.channels], trainable: configuration.trainable,
            convolution: configuration.convolution, pooling: pooling, layout: &layout)
    }

    /// A CNN for frames of shape `input` (rows, columns, channels), without a pooling if that is nil.
    ///
    /// - Throws: `.badData` if the frames are too small or `trainable` names a layer that does not exist.
    package init(
        _ architecture: Architecture, input: Shape, trainable: Trainable, convolution: ConvolutionChoice = .auto,
        pooling: (any FrameLayer)? = nil, layout: inout ParameterLayout
    ) throws {
        var builder = try NetworkBuilder(architecture, input: input, trainable: trainable, convolution: convolution, layout)
        if let pooling { builder.add(pooling) }
        layout = builder.layout
        self.init(NetworkGraph(builder.nodes, inputShape: input))
    }

    /// The network cut before its first trained layer: the frozen layers, which need to run only once on each frame, and the
    /// rest. Either is nil when it would have no layer. Where layers run side by side, the cut is before all of them.
    package func split() -> (frozen: FrameEncoder?, trained: FrameEncoder?) {
        guard isTrainable else { return (self, nil) }
        let cut = graph.cut(notAfter: firstTrainable)
        guard cut > 0 else { return (nil, self) }
        return (FrameEncoder(graph.part(0..<cut)), FrameEncoder(graph.part(cut..<graph.nodes.count)))
    }

    /// The lines of the table of layers.
    package var summaries: [LayerSummary] {
        zip(layers, shapes).map {
            LayerSummary(name: $0.name, type: $0.type, outputShape: $1, parameters: $0.parameterCount, isTrainable: $0.isTrainable)
        }
    }

    /// The shape of the (first) input of layer `index`, for one frame.
    package func inputShape(of index: Int) -> Shape { graph.inputShape(of: index) }

    /// The last convolution over more than one position and the layers that inference computes with it but for a pooling: the
    /// index of the layer whose output `explain` shows. A simple sequence of layers follows it. Without a convolution: the last layer.
    package var explainedLayer: Int {
        let convolutions = graph.nodes.indices.filter { graph.nodes[$0].layer.isConvolution && inputShape(of: $0).rank == 3 }
        guard let last = convolutions.last(where: { shapes[$0][0] * shapes[$0][1] > 1 }) ?? convolutions.last else {
            return graph.nodes.count - 1
        }
        let step = steps.first { $0.nodes.contains(last) }
        let end = step.map { $0.finish?.isPooled == true ? $0.last : $0.nodes.upperBound } ?? last + 1
        let lastMerge = graph.nodes.lastIndex { $0.inputs.count > 1 } ?? -1
        return graph.cut(notBefore: max(end, lastMerge + 1)) - 1
    }

    /// Bytes of scratch memory that `encode`, or with `gradients` also `backward`, needs at most besides the activations,
    /// whatever the number of frames.
    package func scratchBytes(workers: Int, gradients: Bool) -> Int {
        let layers = layers
        return layers.indices.map {
            layers[$0].scratchBytes(inputShape(of: $0), workers: workers, gradients: gradients && $0 >= firstTrainable)
        }.max() ?? 0
    }

    /// Bytes that the context's `FilterCache` holds in the end: of a prediction, or with `gradients` of a training step too.
    package func filterBytes(gradients: Bool) -> Int {
        let (folded, plain) = filterUsers(gradients: gradients)
        return Size.sum(
            folded.map { layer, finish, index in layer.filterBytes(inputShape(of: index), finish) }
                + plain.map { layer, index in
                    layer.filterBytes(inputShape(of: index), inputGradient: gradients && needsInputGradient(index))
                })
    }

    /// Finds the memory of `filterBytes`.
    ///
    /// - Throws: `.other` if memory runs out.
    package func reserveFilters(gradients: Bool, _ context: Context) throws {
        let (folded, plain) = filterUsers(gradients: gradients)
        for (layer, finish, index) in folded { try layer.reserveFilters(inputShape(of: index), finish, context.filters) }
        for (layer, index) in plain {
            try layer.reserveFilters(inputShape(of: index), inputGradient: gradients && needsInputGradient(index), context.filters)
        }
    }

    /// The convolutions that are used with a batch normalisation folded in, and the layers that are used as they are.
    private func filterUsers(
        gradients: Bool
    ) -> (folded: [(any FusingLayer, Finish, Int)], plain: [(any NetworkLayer, Int)]) {
        var folded: [(any FusingLayer, Finish, Int)] = []
        var plain: [(any NetworkLayer, Int)] = []
        for step in steps {
            let first = step.nodes.lowerBound
            let layer = graph.nodes[first].layer
            if let finish = step.finish, finish.normalization != nil, let layer = layer as? any FusingLayer {
                folded.append((layer, finish, first))
                if !gradients { continue }
            }
            plain.append((layer, first))
        }
        return (folded, plain)
    }

    private func needsInputGradient(_ index: Int) -> Bool { graph.nodes[index].inputs.contains { $0 >= 0 && needsGradient[$0] } }
}

// MARK: - Encoding

extension FrameEncoder {
    /// features (N, ...) = the network on frames (N, H, W, C).
    package func encode(frames: Tensor, into features: Tensor, _ context: Context) {
        check(frames: frames, features: features)
        run(0..<graph.nodes.count, frames, into: features, isFolding: true, context)
    }

    /// Frames that layers of large maps process at a time: few, so that the output of one layer is in cache for the next.
    private static let wideChunk = 2
    /// Frames that layers of small maps process at a time: many, because their filters are larger than their maps.
    private static let deepChunk = 16
    /// Positions of the largest small map.
    private static let deepPositions = 64 * 64

    /// Frames that layer `index` processes at a time.
    package func encodeChunk(_ index: Int) -> Int { index < deep ? FrameEncoder.wideChunk : FrameEncoder.deepChunk }

    /// The first layer of small maps.
    private var deep: Int {
        let first = graph.nodes.indices.firstIndex {
            let shape = inputShape(of: $0)
            return shape.rank < 3 || shape[0] * shape[1] <= FrameEncoder.deepPositions
        }
        return graph.cut(notBefore: first ?? graph.nodes.count)
    }

    /// Bytes of activations that `encode` holds at most for so many frames, besides the frames and their features.
    package func encodeBytes(frames: Int) -> Int { encodeBytes(0..<graph.nodes.count, frames: frames, isFolding: true) }

    /// Bytes of activations that running the layers of `range` holds at most.
    func encodeBytes(_ range: Range<Int>, frames: Int, isFolding: Bool) -> Int {
        let cut = min(max(deep, range.lowerBound), range.upperBound)
        let (few, many) = (min(frames, FrameEncoder.wideChunk), min(frames, FrameEncoder.deepChunk))
        let between = cut > range.lowerBound && cut < range.upperBound ? shapes[cut - 1].count : 0
        func floats(_ range: Range<Int>) -> Int { StepMemory(graph.steps(range, isFolding: isFolding), of: graph).floats }
        let largest = max(few * floats(range.lowerBound..<cut), many * floats(cut..<range.upperBound))
        return (many * between + largest) * MemoryLayout<Float>.stride
    }

    /// Runs the layers of `range`, whose ends must be cuts, the last into `output`: those of large maps on a few frames at a time,
    /// those of small maps on many. The bits are those of all frames at once.
    ///
    /// - Parameter isFolding: whether batch normalisation is folded into convolutions, as in predictions. In training it is not.
    func run(_ range: Range<Int>, _ input: Tensor, into output: Tensor, isFolding: Bool, _ context: Context) {
        let cut = min(max(deep, range.lowerBound), range.upperBound)
        let (wide, deep) = (Steps(range.lowerBound..<cut, graph, isFolding), Steps(cut..<range.upperBound, graph, isFolding))
        for many in chunks(of: input.shape[0], FrameEncoder.deepChunk) {
            let mark = context.workspace.mark
            defer { context.workspace.release(to: mark) }
            var maps = output.rows(many)
            if cut > range.lowerBound, cut < range.upperBound { maps = context.workspace.take(shapes[cut - 1].prepending(many.count)) }
            if cut > range.lowerBound {
                for few in chunks(of: many.count, FrameEncoder.wideChunk) {
                    let frames = many.lowerBound + few.lowerBound..<many.lowerBound + few.upperBound
                    runAtOnce(wide, input.rows(frames), into: maps.rows(few), context)
                }
            }
            if cut < range.upperBound {
                runAtOnce(deep, cut > range.lowerBound ? maps : input.rows(many), into: output.rows(many), context)
            }
        }
    }

    private func chunks(of count: Int, _ size: Int) -> some Sequence<Range<Int>> {
        stride(from: 0, to: count, by: size).lazy.map { $0..<min(count, $0 + size) }
    }

    /// The steps of a range of nodes and where they write.
    private struct Steps {
        let steps: [InferenceStep]
        let memory: StepMemory
        /// The step that writes the output of each node.
        let writer: [Int: Int]

        init(_ range: Range<Int>, _ graph: NetworkGraph, _ isFolding: Bool) {
            steps = graph.steps(range, isFolding: isFolding)
            memory = StepMemory(steps, of: graph)
            writer = Dictionary(uniqueKeysWithValues: steps.enumerated().map { ($1.last, $0) })
        }
    }

    /// Runs steps one after the other on `input`, the last into `output`.
    private func runAtOnce(_ steps: Steps, _ input: Tensor, into output: Tensor, _ context: Context) {
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let frames = input.shape[0]
        let arena = context.workspace.take([frames, steps.memory.floats])
        func value(_ node: Int) -> Tensor {
            // The only value from outside that a step can take is `input`: the range begins with a cut.
            guard let writer = steps.writer[node], let offset = steps.memory.offsets[writer] else { return input }
            return Tensor(arena.base + offset * frames, shapes[node].prepending(frames))
        }
        for (index, step) in steps.steps.enumerated() {
            let target = steps.memory.offsets[index] == nil ? output : value(step.last)
            perform(step, value, into: target, context)
        }
    }

    /// Runs one step on the values that it takes.
    func perform(_ step: InferenceStep, _ value: (Int) -> Tensor, into output: Tensor, _ context: Context) {
        let first = step.nodes.lowerBound
        if let finish = step.finish, let layer = graph.nodes[first].layer as? any FusingLayer {
            layer.forward(value(step.inputs[0]), into: output, finish, adding: finish.isAdding ? value(step.inputs[1]) : nil, context)
        } else {
            perform(first, value, into: output, context)
        }
    }

    /// Runs one node by itself.
    func perform(_ index: Int, _ value: (Int) -> Tensor, into output: Tensor, _ context: Context) {
        let node = graph.nodes[index]
        switch node.operation {
        case .layer(let layer): layer.forward(value(node.inputs[0]), into: output, context)
        case .merge(let layer): layer.forward(value(node.inputs[0]), value(node.inputs[1]), into: output, context)
        }
    }

    func check(frames: Tensor, features: Tensor) {
        precondition(
            frames.shape.rank == inputShape.rank + 1 && frames.shape.dropFirst == inputShape,
            "expected frames of \(inputShape), received \(frames.shape)")
        precondition(
            features.shape == outputShape.prepending(frames.shape[0]),
            "expected features \(outputShape.prepending(frames.shape[0])), received \(features.shape)")
    }

    /// The name of the first layer whose output for one of the frames (N, H, W, C) has a number that is not finite; nil if all
    /// are finite. Slow, for the search after an error: it runs frame by frame.
    package func firstNotFinite(frames: Tensor, _ context: Context) -> String? {
        var first = graph.nodes.count
        for frame in 0..<frames.shape[0] {
            let mark = context.workspace.mark
            defer { context.workspace.release(to: mark) }
            var outputs: [Tensor] = []
            for index in 0..<first {
                let output = context.workspace.take(shapes[index].prepending(1))
                perform(index, { $0 < 0 ? frames.rows(frame..<frame + 1) : outputs[$0] }, into: output, context)
                outputs.append(output)
                if !Reductions.sumOfSquares(output, context.workers).isFinite {
                    first = index
                    break
                }
            }
        }
        return first < graph.nodes.count ? graph.nodes[first].layer.name : nil
    }
}

// MARK: - Measuring

extension FrameEncoder {
    /// The steps of a prediction.
    var predictionSteps: [InferenceStep] { steps }
}
