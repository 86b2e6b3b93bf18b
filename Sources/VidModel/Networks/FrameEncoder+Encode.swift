import VidTensor

extension FrameEncoder {
    /// features (N, ...) = the network on frames (N, H, W, C), keeping nothing.
    package func encode(frames: Tensor, into features: Tensor, _ context: Context) {
        check(frames: frames, features: features)
        run(0..<layers.count, frames, into: features, context)
    }

    /// Frames that layers of large maps work on at a time: few, so that what one layer writes is in cache for the next.
    private static let wideChunk = 2
    /// Frames that layers of small maps work on at a time: many, because their filters are larger than their maps.
    private static let deepChunk = 16
    /// Positions of the largest small map.
    private static let deepPositions = 64 * 64

    /// Frames that layer `index` works on at a time.
    package func encodeChunk(_ index: Int) -> Int { index < deep ? FrameEncoder.wideChunk : FrameEncoder.deepChunk }

    /// The first layer of small maps.
    private var deep: Int {
        layers.indices.firstIndex {
            let shape = inputShape(of: $0)
            return shape.rank < 3 || shape[0] * shape[1] <= FrameEncoder.deepPositions
        } ?? layers.count
    }

    /// Bytes of activations that `encode` holds at most for so many frames, those and their features apart.
    package func encodeBytes(frames: Int) -> Int { encodeBytes(0..<layers.count, frames: frames) }

    /// Bytes that running the layers of `range` takes.
    func encodeBytes(_ range: Range<Int>, frames: Int) -> Int {
        let cut = min(max(deep, range.lowerBound), range.upperBound)
        let (few, many) = (min(frames, FrameEncoder.wideChunk), min(frames, FrameEncoder.deepChunk))
        let between = cut > range.lowerBound && cut < range.upperBound ? shapes[cut - 1].count : 0
        let wide = buffers(range.lowerBound..<cut)
        let deep = buffers(cut..<range.upperBound)
        return (many * between + max(few * (wide.first + wide.second), many * (deep.first + deep.second))) * MemoryLayout<Float>.stride
    }

    /// Runs the layers of `range`, the last into `output`: those of large maps a few frames at a time, those of small maps on
    /// many. The bits are those of all frames at once.
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

    /// Calls `body` for each layer of `range`, and for two at once where a convolution does the pooling after it: with the
    /// first and the last index, and whether it writes the first of the two buffers.
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

    /// Whether layer `index` does the pooling of the next layer too when nothing is kept.
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
}
