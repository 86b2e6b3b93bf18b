import VidTensor

extension FrameEncoder {
    /// Adds the parameters' gradients, given those of the features, dFeatures (N, ...): `chunk` frames at a time are run
    /// forward again, keeping the outputs from the first trained layer on, and then back down to that layer.
    ///
    /// The same bits for every `chunk`. Does nothing when all layers are frozen.
    package func backward(frames: Tensor, dFeatures: Tensor, _ pass: Pass, chunk: Int) {
        precondition(chunk > 0, "chunks of \(chunk) frames")
        check(frames: frames, features: dFeatures)
        guard isTrainable else { return }
        for start in stride(from: 0, to: frames.shape[0], by: chunk) {
            let range = start..<min(frames.shape[0], start + chunk)
            let mark = pass.workspace.mark
            let kept = forwardKeeping(frames: frames.rows(range), pass)
            goBack(frames: frames.rows(range), kept: kept, dFeatures: dFeatures.rows(range), pass)
            pass.workspace.release(to: mark)
        }
    }

    /// Bytes of activations and their gradients that `backward` holds for each frame of its chunk.
    package var backwardBytesPerFrame: Int {
        guard isTrainable else { return 0 }
        let sizes = gradientSizes
        let frozen = firstTrainable > 0 ? split().frozen?.encodeBytesPerFrame ?? 0 : 0
        return keptOffset(of: layers.count) * MemoryLayout<Float>.stride
            + max(frozen, (sizes.even + sizes.odd) * MemoryLayout<Float>.stride)
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

    /// Adds the parameters' gradients, from what `forwardKeeping` kept of the same frames.
    package func goBack(frames: Tensor, kept: Tensor, dFeatures: Tensor, _ pass: Pass) {
        check(frames: frames, features: dFeatures)
        let count = frames.shape[0]
        precondition(kept.count == count * keptOffset(of: layers.count), "\(kept.count) floats kept of \(count) frames")
        let mark = pass.workspace.mark
        defer { pass.workspace.release(to: mark) }
        let sizes = gradientSizes
        let even = pass.workspace.take([count, sizes.even])
        let odd = pass.workspace.take([count, sizes.odd])
        func gradient(_ index: Int) -> Tensor { Tensor((index % 2 == 0 ? even : odd).base, shapes[index].prepending(count)) }
        gradient(layers.count - 1).copy(from: dFeatures)
        for index in stride(from: layers.count - 1, through: firstTrainable, by: -1) {
            layers[index].backward(
                gradient(index), input: input(index, frames, kept), output: output(index, count, kept),
                into: index > firstTrainable ? gradient(index - 1) : nil, pass)
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
