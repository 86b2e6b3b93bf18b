import VidTensor

/// Training a network whose first layer is trained; what is frozen before it is cut off by `split`.
extension FrameEncoder {
    /// Frames whose gradients are summed together, so that small maps fill a matrix multiplication.
    package static let gradientGroup = Convolution.frameGroup

    /// What `forward` leaves for `backward`, in the pass's workspace.
    package struct KeptActivations {
        /// The network's output (N, ...).
        package let features: Tensor
        fileprivate let parts: [Kept]
    }

    /// The outputs of consecutive layers, each for all frames of a part one after the other.
    fileprivate struct Kept {
        let frames: Range<Int>
        /// The first layer whose output is here.
        let first: Int
        let base: UnsafeMutablePointer<Float>
    }

    /// Runs frames (N, H, W, C) forward, keeping what `plan` says.
    package func forward(frames: Tensor, keeping plan: ActivationPlan, _ context: Context) -> KeptActivations {
        let features = context.workspace.take(outputShape.prepending(frames.shape[0]))
        check(frames: frames, features: features)
        precondition(firstTrainable == 0, "frozen layers are to be cut off")
        precondition(plan.frames == frames.shape[0], "a plan for \(plan.frames) frames, not \(frames.shape[0])")
        var parts: [Kept] = []
        // The first part last: until then its memory serves the others as scratch.
        for part in plan.parts.dropFirst() + plan.parts.prefix(1) {
            let kept = Kept(
                frames: part.frames, first: max(0, part.from - 1),
                base: context.workspace.take([part.frames.count * keptFloats(from: part.from)]).base)
            let input = frames.rows(part.frames)
            let features = features.rows(part.frames)
            if part.from > 0 { run(0..<part.from, input, into: output(part.from - 1, kept, features), context) }
            runKeeping(part.from..<layers.count, input, kept, features, context)
            parts.append(kept)
        }
        return KeptActivations(features: features, parts: parts.suffix(1) + parts.dropLast())
    }

    /// Adds the parameters' gradients, given those of the features, dFeatures (N, ...), a group of frames at a time. What was
    /// kept is overwritten: the gradient of a layer's output takes the place of that output.
    package func backward(frames: Tensor, kept: KeptActivations, dFeatures: Tensor, _ context: Context) {
        check(frames: frames, features: dFeatures)
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let scratch = context.workspace.take([inPlaceScratchBytes(frames: frames.shape[0]) / MemoryLayout<Float>.stride])
        for part in kept.parts {
            for start in stride(from: part.frames.lowerBound, to: part.frames.upperBound, by: FrameEncoder.gradientGroup) {
                let group = start..<min(part.frames.upperBound, start + FrameEncoder.gradientGroup)
                let again = Kept(frames: group, first: 0, base: kept.parts[0].base)
                if part.first > 0 { runKeeping(0..<part.first, frames.rows(group), again, kept.features.rows(group), context) }
                func output(_ index: Int) -> Tensor {
                    let rows = group.lowerBound - part.frames.lowerBound..<group.upperBound - part.frames.lowerBound
                    if index == layers.count - 1 { return kept.features.rows(group) }
                    return index < part.first ? self.output(index, again, dFeatures) : self.output(index, part, dFeatures).rows(rows)
                }
                goBack(frames.rows(group), dFeatures.rows(group), output, scratch, context)
            }
        }
    }

    /// From the last layer to the first, for one group of frames whose outputs are given.
    private func goBack(_ frames: Tensor, _ dFeatures: Tensor, _ output: (_ index: Int) -> Tensor, _ scratch: Tensor, _ context: Context) {
        var gradient = dFeatures
        for (index, layer) in layers.enumerated().reversed() {
            let input = index == 0 ? frames : output(index - 1)
            let rectified = rectified(index)
            let dInput =
                index == 0 ? nil : layer.canOverwriteInput(inputShape(of: index), rectified) ? input : Tensor(scratch.base, input.shape)
            layer.backward(gradient, input: input, output: output(index), into: dInput, rectified: rectified, context)
            guard let dInput else { return }
            if dInput.base != input.base { input.copy(from: dInput) }
            gradient = input
        }
    }

    /// Where the ReLUs' gradients are taken around layer `index`.
    private func rectified(_ index: Int) -> RectifiedGradients {
        var rectified = RectifiedGradients()
        rectified.output = index < layers.count - 1
        rectified.input = index > 0 && layers[index - 1].hasReLU
        return rectified
    }

    /// Runs the layers of `range` on `input`, the frames of `kept`, writing each output to its place there.
    private func runKeeping(_ range: Range<Int>, _ input: Tensor, _ kept: Kept, _ features: Tensor, _ context: Context) {
        for index in range {
            layers[index].forward(
                index == 0 ? input : output(index - 1, kept, features), into: output(index, kept, features), context)
        }
    }

    /// The output of layer `index`; the last one's are the features.
    private func output(_ index: Int, _ kept: Kept, _ features: Tensor) -> Tensor {
        if index == layers.count - 1 { return features }
        return Tensor(kept.base + kept.frames.count * floats(kept.first..<index), shapes[index].prepending(kept.frames.count))
    }

    /// Floats kept of one frame: the input of layer `from` and the outputs from it on, but neither the frame nor the features.
    private func keptFloats(from: Int) -> Int { floats(max(0, from - 1)..<max(0, from - 1, layers.count - 1)) }

    /// Floats of the outputs of the layers of `range` for one frame, each in whole cache lines.
    private func floats(_ range: Range<Int>) -> Int { range.reduce(0) { $0 + (shapes[$1].count + 15) / 16 * 16 } }

    func keptBytes(from: Int) -> Int { keptFloats(from: from) * MemoryLayout<Float>.stride }

    /// Bytes of a group's largest input gradient of those that cannot take the place of the input.
    func inPlaceScratchBytes(frames: Int) -> Int {
        let largest =
            layers.indices.dropFirst().map { index in
                layers[index].canOverwriteInput(inputShape(of: index), rectified(index)) ? 0 : inputShape(of: index).count
            }.max() ?? 0
        return min(frames, FrameEncoder.gradientGroup) * largest * MemoryLayout<Float>.stride
    }

    /// Operations of the layers of `range` on one frame.
    func flops(_ range: Range<Int>) -> Double { range.reduce(0) { $0 + layers[$1].flops(inputShape(of: $1)) } }
}
