import VidTensor

extension FrameEncoder {
    /// features (N, ...) = the network on frames (N, H, W, C), keeping nothing.
    package func encode(frames: Tensor, into features: Tensor, _ pass: Pass) {
        check(frames: frames, features: features)
        let step = FrameEncoder.encodeChunk(workers: pass.workers.count)
        for start in stride(from: 0, to: frames.shape[0], by: step) {
            let range = start..<min(frames.shape[0], start + step)
            run(0..<layers.count, frames.rows(range), into: features.rows(range), pass)
        }
    }

    /// Frames that `encode` works on at a time: enough for every worker to have one where a layer has one block a frame.
    package static func encodeChunk(workers: Int) -> Int { max(4, workers) }

    /// Bytes of activations that `encode` holds at a time for each frame of its chunk (input and features apart).
    package var encodeBytesPerFrame: Int {
        let sizes = bufferSizes(0..<layers.count)
        return (sizes.even + sizes.odd) * MemoryLayout<Float>.stride
    }

    /// Runs the layers of `range` one after the other, the last into `output`; the others write two buffers in turns.
    func run(_ range: Range<Int>, _ input: Tensor, into output: Tensor, _ pass: Pass) {
        let mark = pass.workspace.mark
        defer { pass.workspace.release(to: mark) }
        let frames = input.shape[0]
        let sizes = bufferSizes(range)
        let even = pass.workspace.take([frames, sizes.even])
        let odd = pass.workspace.take([frames, sizes.odd])
        var current = input
        for index in range {
            let target =
                index == range.upperBound - 1
                ? output : Tensor((index % 2 == 0 ? even : odd).base, shapes[index].prepending(frames))
            layers[index].forward(current, into: target, pass)
            current = target
        }
    }

    /// Floats for one frame of the largest output of the layers of even and of odd index in `range`, its last apart.
    private func bufferSizes(_ range: Range<Int>) -> (even: Int, odd: Int) {
        var sizes = (even: 0, odd: 0)
        for index in range.dropLast() {
            if index % 2 == 0 {
                sizes.even = max(sizes.even, shapes[index].count)
            } else {
                sizes.odd = max(sizes.odd, shapes[index].count)
            }
        }
        return sizes
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
