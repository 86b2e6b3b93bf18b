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
    private let phases: [EncodePhase]

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
        phases = EncodePhase.phases(of: 0..<graph.nodes.count, in: graph, isFolding: true)
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
        let step = predictionSteps.first { $0.nodes.contains(last) }
        let end = step.map { $0.finish?.isPooled == true ? $0.last : $0.nodes.upperBound } ?? last + 1
        let lastMerge = graph.nodes.lastIndex { $0.inputs.count > 1 } ?? -1
        return graph.cut(notBefore: max(end, lastMerge + 1)) - 1
    }

    /// Bytes of scratch memory that `encode`, or with `gradients` also `backward`, needs at most besides the activations,
    /// whatever the number of frames.
    package func scratchBytes(workers: Int, gradients: Bool) -> Int {
        let layers = layers
        let largest =
            layers.indices.map {
                layers[$0].scratchBytes(inputShape(of: $0), workers: workers, gradients: gradients && $0 >= firstTrainable)
            }.max() ?? 0
        // Layers that training runs by themselves may be cut into other bands, but no bands take more.
        let bands =
            phases.contains { $0.steps.contains { $0.bands != nil } } ? workers * RowBands.mostFloats * MemoryLayout<Float>.stride : 0
        return max(largest, bands)
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
        for step in predictionSteps {
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
        run(phases, frames, into: features, context)
    }

    /// Frames that layer `index` processes at a time.
    package func encodeChunk(_ index: Int) -> Int { phases.first { $0.nodes.contains(index) }?.chunk ?? 1 }

    /// Bytes of activations that `encode` holds at most for so many frames, besides the frames and their features.
    package func encodeBytes(frames: Int) -> Int { EncodePhase.bytes(phases, graph, frames: frames) }

    /// Bytes of activations that running the layers of `range` holds at most.
    func encodeBytes(_ range: Range<Int>, frames: Int, isFolding: Bool) -> Int {
        EncodePhase.bytes(EncodePhase.phases(of: range, in: graph, isFolding: isFolding), graph, frames: frames)
    }

    /// Runs the layers of `range`, whose ends must be cuts, the last into `output`. The bits are those of all frames at once.
    ///
    /// - Parameter isFolding: whether batch normalisation is folded into convolutions, as in predictions. In training it is not.
    func run(_ range: Range<Int>, _ input: Tensor, into output: Tensor, isFolding: Bool, _ context: Context) {
        run(EncodePhase.phases(of: range, in: graph, isFolding: isFolding), input, into: output, context)
    }

    /// Runs phases one after the other on as many frames as the last takes at a time, each on its own number of frames.
    private func run(_ phases: [EncodePhase], _ input: Tensor, into output: Tensor, _ context: Context) {
        let most = EncodePhase.mostFrames
        for many in EncodePhase.chunks(of: input.shape[0], most) {
            let mark = context.workspace.mark
            defer { context.workspace.release(to: mark) }
            // Outputs of phases, alternately in two places.
            let between = EncodePhase.betweenFloats(phases, graph).map { context.workspace.take([$0 * many.count]).base }
            var source = input.rows(many)
            for (index, phase) in phases.enumerated() {
                let target =
                    index == phases.count - 1
                    ? output.rows(many) : Tensor(between[index % 2], shapes[phase.nodes.upperBound - 1].prepending(many.count))
                let size = phase.framesBesideOthers(workers: context.workers.count, graph)
                if size > 0, many.count > size {
                    runSideBySide(phase, frames: size, source, into: target, context)
                } else {
                    for few in EncodePhase.chunks(of: many.count, phase.chunk) {
                        run(phase, source.rows(few), into: target.rows(few), context)
                    }
                }
                source = target
            }
        }
    }

    /// Runs a phase on `count` frames at a time, on each worker by itself.
    private func runSideBySide(_ phase: EncodePhase, frames count: Int, _ input: Tensor, into output: Tensor, _ context: Context) {
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        for step in phase.steps.flatMap(\.parts) {
            let first = step.nodes.lowerBound
            guard let finish = step.finish, let layer = graph.nodes[first].layer as? any FusingLayer else { continue }
            layer.prepareFilters(inputShape(of: first), finish, context)
        }
        let floats = phase.floatsBesideOthers(frames: count, graph)
        let alone = (0..<context.workers.count).map { _ in
            Context(besideOthersIn: context, workspace: Workspace(in: context.workspace.take([floats])))
        }
        context.workers.forEachRange(of: input.shape[0], size: count) { frames, worker in
            run(phase, input.rows(frames), into: output.rows(frames), alone[worker])
        }
    }

    /// Runs the steps of a phase one after the other on `input`, the last into `output`.
    private func run(_ phase: EncodePhase, _ input: Tensor, into output: Tensor, _ context: Context) {
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let frames = input.shape[0]
        let arena = context.workspace.take([frames, phase.memory.floats])
        func value(_ node: Int) -> Tensor {
            // The only value from outside that a step can take is `input`: the phase begins with a cut.
            guard node >= phase.nodes.lowerBound, let offset = phase.offsets[node - phase.nodes.lowerBound] else { return input }
            return Tensor(arena.base + offset * frames, shapes[node].prepending(frames))
        }
        for (index, step) in phase.steps.enumerated() {
            perform(step, value, into: index == phase.steps.count - 1 ? output : value(step.last), context)
        }
    }

    /// Runs one step on the values that it takes.
    func perform(_ step: InferenceStep, _ value: (Int) -> Tensor, into output: Tensor, _ context: Context) {
        let first = step.nodes.lowerBound
        if let bands = step.bands {
            bands.run(value(step.inputs[0]), adding: step.inputs.dropFirst().first.map(value), into: output, context)
        } else if let finish = step.finish, let layer = graph.nodes[first].layer as? any FusingLayer {
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
    var predictionSteps: [InferenceStep] { phases.flatMap(\.steps).flatMap(\.parts) }
}
