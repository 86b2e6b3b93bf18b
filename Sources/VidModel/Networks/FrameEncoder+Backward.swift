import VidTensor

extension FrameEncoder {
    /// Adds the parameters' gradients, given those of the features, dFeatures (N, ...): `chunk` frames at a time are run
    /// forward again, keeping the outputs from the first trained layer on, and then back down to that layer.
    ///
    /// `chunk` is rounded down to a multiple of `gradientGroup`, at least one, and the bits are the same for every chunk:
    /// gradients are summed in groups of so many frames. Does nothing when all layers are frozen.
    package func backward(frames: Tensor, dFeatures: Tensor, _ pass: Pass, chunk: Int) {
        precondition(chunk > 0, "chunks of \(chunk) frames")
        check(frames: frames, features: dFeatures)
        guard isTrainable else { return }
        let step = max(1, chunk / FrameEncoder.gradientGroup) * FrameEncoder.gradientGroup
        for start in stride(from: 0, to: frames.shape[0], by: step) {
            let range = start..<min(frames.shape[0], start + step)
            let mark = pass.workspace.mark
            let kept = forwardKeeping(frames: frames.rows(range), pass)
            goBack(frames: frames.rows(range), kept: kept, dFeatures: dFeatures.rows(range), pass)
            pass.workspace.release(to: mark)
        }
    }

    /// Frames whose gradients are summed together, so that small maps fill a matrix multiplication.
    package static let gradientGroup = Convolution.frameGroup

    /// Bytes of activations and their gradients that `backward` holds for a chunk of so many frames.
    package func backwardBytes(frames: Int) -> Int {
        guard isTrainable else { return 0 }
        let kept = frames * keptOffset(of: layers.count) * MemoryLayout<Float>.stride
        let gradients = min(frames, FrameEncoder.gradientGroup) * (gradientSizes.even + gradientSizes.odd) * MemoryLayout<Float>.stride
        return kept + max(gradients, firstTrainable > 0 ? encodeBytes(0..<firstTrainable, frames: frames) : 0)
    }

    /// The frames that go back at a time: as many of `frames` as `bytes` hold, all or a multiple of `gradientGroup`, at least
    /// one group.
    package func backwardChunk(frames: Int, bytes: Int) -> Int {
        if backwardBytes(frames: frames) <= bytes { return frames }
        let group = FrameEncoder.gradientGroup
        let first = backwardBytes(frames: group)
        let each = max(1, backwardBytes(frames: 2 * group) - first)
        return min(frames, group * (1 + max(0, bytes - first) / each))
    }

    /// Runs frames (n, H, W, C) forward and returns what `goBack` needs: for each layer from the last frozen one on its
    /// output for all n frames, one after the other; taken from the workspace.
    package func forwardKeeping(frames: Tensor, _ pass: Pass) -> Tensor {
        check(frames: frames, features: Tensor(frames.base, outputShape.prepending(frames.shape[0])))
        let count = frames.shape[0]
        let kept = pass.workspace.take([count * keptOffset(of: layers.count)])
        if firstTrainable > 0 { run(0..<firstTrainable, frames, into: output(firstTrainable - 1, count, kept), pass) }
        for index in firstTrainable..<layers.count {
            layers[index].forward(input(index, frames, kept), into: output(index, count, kept), pass)
        }
        return kept
    }

    /// The features among what `forwardKeeping` kept for `count` frames.
    package func features(kept: Tensor, count: Int) -> Tensor { output(layers.count - 1, count, kept) }

    /// Adds the parameters' gradients, from what `forwardKeeping` kept of the same frames, `gradientGroup` frames at a time.
    /// Called for frames in several parts, each but the last has a multiple of that, or the bits differ.
    package func goBack(frames: Tensor, kept: Tensor, dFeatures: Tensor, _ pass: Pass) {
        check(frames: frames, features: dFeatures)
        let count = frames.shape[0]
        precondition(kept.count == count * keptOffset(of: layers.count), "\(kept.count) floats kept of \(count) frames")
        let mark = pass.workspace.mark
        defer { pass.workspace.release(to: mark) }
        let sizes = gradientSizes
        let group = min(count, FrameEncoder.gradientGroup)
        let even = pass.workspace.take([group, sizes.even])
        let odd = pass.workspace.take([group, sizes.odd])
        for start in stride(from: 0, to: count, by: group) {
            let range = start..<min(count, start + group)
            func gradient(_ index: Int) -> Tensor { Tensor((index % 2 == 0 ? even : odd).base, shapes[index].prepending(range.count)) }
            gradient(layers.count - 1).copy(from: dFeatures.rows(range))
            for index in stride(from: layers.count - 1, through: firstTrainable, by: -1) {
                var rectified = RectifiedGradients()
                rectified.output = index < layers.count - 1
                rectified.input = index > firstTrainable && layers[index - 1].hasReLU
                layers[index].backward(
                    gradient(index), input: input(index, frames, kept).rows(range), output: output(index, count, kept).rows(range),
                    into: index > firstTrainable ? gradient(index - 1) : nil, rectified: rectified, pass)
            }
        }
    }

    /// Floats for one frame of the largest output from the first trained layer on, by even and odd index.
    private var gradientSizes: (even: Int, odd: Int) {
        var sizes = (even: 0, odd: 0)
        for index in firstTrainable..<layers.count {
            if index % 2 == 0 {
                sizes.even = max(sizes.even, shapes[index].count)
            } else {
                sizes.odd = max(sizes.odd, shapes[index].count)
            }
        }
        return sizes
    }

    /// Floats for one frame of what is kept before the output of layer `index`.
    private func keptOffset(of index: Int) -> Int {
        var offset = 0
        for earlier in max(0, firstTrainable - 1)..<max(index, firstTrainable - 1, 0) { offset += (shapes[earlier].count + 15) / 16 * 16 }
        return offset
    }

    private func output(_ index: Int, _ count: Int, _ kept: Tensor) -> Tensor {
        Tensor(kept.base + count * keptOffset(of: index), shapes[index].prepending(count))
    }

    private func input(_ index: Int, _ frames: Tensor, _ kept: Tensor) -> Tensor {
        index == 0 ? frames : output(index - 1, frames.shape[0], kept)
    }
}
