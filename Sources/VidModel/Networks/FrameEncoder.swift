import VidConfig
import VidSystem
import VidTensor

/// A network applied to every frame by itself: Keras's `TimeDistributed(CNN -> pooling)`.
///
/// Frames (N, H, W, C) become features (N, F), or maps (N, H', W', C'). `encode` saves nothing: it processes the frames a few
/// at a time in two buffers that the layers write in turns. Training (FrameEncoder+Training.swift) saves the activations that
/// an `ActivationPlan` selects. Neither the plan nor the number of threads changes the bits of features and gradients.
package struct FrameEncoder: Sendable {
    package let layers: [any FrameLayer]
    /// The shape of a frame.
    package let inputShape: Shape
    /// The shape of each layer's output for one frame.
    package let shapes: [Shape]
    /// The index of the first layer that is trained, where gradients end; `layers.count` when all are frozen.
    package let firstTrainable: Int

    package var outputShape: Shape { shapes[shapes.count - 1] }
    package var isTrainable: Bool { firstTrainable < layers.count }

    /// Any network of frame layers.
    package init(layers: [any FrameLayer], inputShape: Shape) {
        precondition(!layers.isEmpty, "an encoder without layers")
        self.layers = layers
        self.inputShape = inputShape
        var shapes: [Shape] = []
        for layer in layers { shapes.append(layer.outputShape(shapes.last ?? inputShape)) }
        self.shapes = shapes
        firstTrainable = layers.firstIndex { $0.isTrainable } ?? layers.count
    }

    /// The CNN of a configuration with its pooling, for frames of shape (rows, columns, channels); parameters below `cnn/`.
    package init(_ configuration: CNNConfiguration, input: InputConfiguration, layout: inout ParameterLayout) throws {
        let shape: Shape = [input.rows, input.columns, input.channels]
        var layers = try VGG.layers(
            configuration.architecture, input: shape, trainable: configuration.trainable, convolution: configuration.convolution,
            layout: &layout)
        switch configuration.pooling {
        case .average: layers.append(GlobalAveragePooling2D())
        case .max: layers.append(GlobalMaxPooling2D())
        case .flatten: layers.append(Flatten())
        }
        self.init(layers: layers, inputShape: shape)
    }

    /// The network cut before its first trained layer: the frozen layers, which need to run only once on each frame, and the
    /// rest. Either is nil when it would have no layer.
    package func split() -> (frozen: FrameEncoder?, trained: FrameEncoder?) {
        guard firstTrainable > 0 else { return (nil, self) }
        guard isTrainable else { return (self, nil) }
        return (
            FrameEncoder(layers: Array(layers[..<firstTrainable]), inputShape: inputShape),
            FrameEncoder(layers: Array(layers[firstTrainable...]), inputShape: shapes[firstTrainable - 1])
        )
    }

    /// The lines of the table of layers.
    package var summaries: [LayerSummary] {
        zip(layers, shapes).map {
            LayerSummary(name: $0.name, type: $0.type, outputShape: $1, parameters: $0.parameterCount, isTrainable: $0.isTrainable)
        }
    }

    /// The shape of the input of layer `index`, for one frame.
    package func inputShape(of index: Int) -> Shape { index == 0 ? inputShape : shapes[index - 1] }

    /// Bytes of scratch memory that `encode`, or with `gradients` also `backward`, needs at most besides the activations,
    /// whatever the number of frames.
    package func scratchBytes(workers: Int, gradients: Bool) -> Int {
        layers.indices.map { layers[$0].scratchBytes(inputShape(of: $0), workers: workers, gradients: gradients && $0 >= firstTrainable) }
            .max() ?? 0
    }

    /// Bytes that the context's `FilterCache` holds in the end: of a prediction, or with `gradients` of a training step.
    package func filterBytes(gradients: Bool) -> Int {
        Size.sum(layers.indices.map { layers[$0].filterBytes(inputShape(of: $0), inputGradient: gradients && $0 > firstTrainable) })
    }

    /// Finds the memory of `filterBytes`.
    ///
    /// - Throws: `.other` if memory runs out.
    package func reserveFilters(gradients: Bool, _ context: Context) throws {
        for index in layers.indices {
            try layers[index].reserveFilters(
                inputShape(of: index), inputGradient: gradients && index > firstTrainable, context.filters)
        }
    }
}

// MARK: - Encoding

extension FrameEncoder {
    /// features (N, ...) = the network on frames (N, H, W, C).
    package func encode(frames: Tensor, into features: Tensor, _ context: Context) {
        check(frames: frames, features: features)
        run(0..<layers.count, frames, into: features, context)
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
        layers.indices.firstIndex {
            let shape = inputShape(of: $0)
            return shape.rank < 3 || shape[0] * shape[1] <= FrameEncoder.deepPositions
        } ?? layers.count
    }

    /// Bytes of activations that `encode` holds at most for so many frames, besides the frames and their features.
    package func encodeBytes(frames: Int) -> Int { encodeBytes(0..<layers.count, frames: frames) }

    /// Bytes of activations that running the layers of `range` holds at most.
    func encodeBytes(_ range: Range<Int>, frames: Int) -> Int {
        let cut = min(max(deep, range.lowerBound), range.upperBound)
        let (few, many) = (min(frames, FrameEncoder.wideChunk), min(frames, FrameEncoder.deepChunk))
        let between = cut > range.lowerBound && cut < range.upperBound ? shapes[cut - 1].count : 0
        let wide = buffers(range.lowerBound..<cut)
        let deep = buffers(cut..<range.upperBound)
        return (many * between + max(few * (wide.first + wide.second), many * (deep.first + deep.second))) * MemoryLayout<Float>.stride
    }

    /// Runs the layers of `range`, the last into `output`: those of large maps on a few frames at a time, those of small maps
    /// on many. The bits are those of all frames at once.
    func run(_ range: Range<Int>, _ input: Tensor, into output: Tensor, _ context: Context) {
        let cut = min(max(deep, range.lowerBound), range.upperBound)
        for many in chunks(of: input.shape[0], FrameEncoder.deepChunk) {
            let mark = context.workspace.mark
            defer { context.workspace.release(to: mark) }
            var maps = output.rows(many)
            if cut > range.lowerBound, cut < range.upperBound { maps = context.workspace.take(shapes[cut - 1].prepending(many.count)) }
            if cut > range.lowerBound {
                for few in chunks(of: many.count, FrameEncoder.wideChunk) {
                    let frames = many.lowerBound + few.lowerBound..<many.lowerBound + few.upperBound
                    runAtOnce(range.lowerBound..<cut, input.rows(frames), into: maps.rows(few), context)
                }
            }
            if cut < range.upperBound {
                runAtOnce(cut..<range.upperBound, cut > range.lowerBound ? maps : input.rows(many), into: output.rows(many), context)
            }
        }
    }

    private func chunks(of count: Int, _ size: Int) -> some Sequence<Range<Int>> {
        stride(from: 0, to: count, by: size).lazy.map { $0..<min(count, $0 + size) }
    }

    /// Runs the layers of `range` one after the other, the last into `output`; the others write two buffers in turns.
    private func runAtOnce(_ range: Range<Int>, _ input: Tensor, into output: Tensor, _ context: Context) {
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let frames = input.shape[0]
        let sizes = buffers(range)
        let first = context.workspace.take([frames, sizes.first])
        let second = context.workspace.take([frames, sizes.second])
        var current = input
        forEachStep(range) { index, last, isFirst in
            let target =
                last == range.upperBound - 1 ? output : Tensor((isFirst ? first : second).base, shapes[last].prepending(frames))
            if last > index, let convolution = layers[index] as? Conv2D {
                convolution.forward(current, into: target, isPooled: true, context)
            } else {
                layers[index].forward(current, into: target, context)
            }
            current = target
        }
    }

    /// Floats for one frame of the largest outputs in each of the two buffers.
    private func buffers(_ range: Range<Int>) -> (first: Int, second: Int) {
        var sizes = (first: 0, second: 0)
        forEachStep(range) { _, last, isFirst in
            if last == range.upperBound - 1 { return }
            if isFirst { sizes.first = max(sizes.first, shapes[last].count) } else { sizes.second = max(sizes.second, shapes[last].count) }
        }
        return sizes
    }

    /// Calls `body` for each layer of `range`, and once for two layers where a convolution also does the pooling after it: with
    /// the first and the last index, and whether the output goes to the first of the two buffers.
    private func forEachStep(_ range: Range<Int>, _ body: (_ index: Int, _ last: Int, _ isFirst: Bool) -> Void) {
        var index = range.lowerBound
        var isFirst = true
        while index < range.upperBound {
            let last = index + 1 < range.upperBound && poolsAfter(index) ? index + 1 : index
            body(index, last, isFirst)
            index = last + 1
            isFirst.toggle()
        }
    }

    /// Whether layer `index` also does the pooling of the next layer when nothing is saved.
    package func poolsAfter(_ index: Int) -> Bool {
        guard index + 1 < layers.count, let convolution = layers[index] as? Conv2D, let pool = layers[index + 1] as? MaxPool2D else {
            return false
        }
        return convolution.canPool(pool, input: inputShape(of: index))
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
        var first = layers.count
        for frame in 0..<frames.shape[0] {
            let mark = context.workspace.mark
            defer { context.workspace.release(to: mark) }
            var maps = frames.rows(frame..<frame + 1)
            for index in 0..<first {
                let output = context.workspace.take(shapes[index].prepending(1))
                layers[index].forward(maps, into: output, context)
                maps = output
                if !Reductions.sumOfSquares(output, context.workers).isFinite {
                    first = index
                    break
                }
            }
        }
        return first < layers.count ? layers[first].name : nil
    }
}
