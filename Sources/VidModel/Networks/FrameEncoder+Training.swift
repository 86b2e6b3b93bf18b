import VidTensor

/// Training: a network whose first layer is trained, as `split` returns it.
extension FrameEncoder {
    /// Frames whose gradients are summed together, so that small maps fill a matrix multiplication.
    package static let gradientGroup = Convolution.frameGroup

    /// The activations that `forward` saves for `backward`, in the context's workspace.
    package struct SavedActivations {
        /// The network's output (N, ...).
        package let features: Tensor
        fileprivate let parts: [SavedPart]
    }

    /// The saved outputs of consecutive layers for some of the frames. Each output holds these frames one after the other.
    fileprivate struct SavedPart {
        let frames: Range<Int>
        /// The first layer whose output is here.
        let first: Int
        let base: UnsafeMutablePointer<Float>
    }

    /// Runs frames (N, H, W, C) forward and saves the activations that `plan` selects.
    package func forward(frames: Tensor, saving plan: ActivationPlan, _ context: Context) -> SavedActivations {
        let features = context.workspace.take(outputShape.prepending(frames.shape[0]))
        check(frames: frames, features: features)
        precondition(firstTrainable == 0, "the first layer is frozen; train the second part of split()")
        precondition(plan.frames == frames.shape[0], "a plan for \(plan.frames) frames, not \(frames.shape[0])")
        var parts: [SavedPart] = []
        // The first part comes last: until then the others use its memory as scratch.
        for part in plan.parts.dropFirst() + plan.parts.prefix(1) {
            let saved = SavedPart(
                frames: part.frames, first: max(0, part.from - 1),
                base: context.workspace.take([part.frames.count * savedFloats(from: part.from)]).base)
            let input = frames.rows(part.frames)
            let features = features.rows(part.frames)
            if part.from > 0 { run(0..<part.from, input, into: output(part.from - 1, saved, features), context) }
            runSaving(part.from..<layers.count, input, saved, features, context)
            parts.append(saved)
        }
        return SavedActivations(features: features, parts: parts.suffix(1) + parts.dropLast())
    }

    /// Adds the parameters' gradients, given those of the features, dFeatures (N, ...), a group of frames at a time. It
    /// overwrites `saved`: the gradient of a layer's output takes the place of that output.
    package func backward(frames: Tensor, saved: SavedActivations, dFeatures: Tensor, _ context: Context) {
        check(frames: frames, features: dFeatures)
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let scratch = context.workspace.take([inPlaceScratchBytes(frames: frames.shape[0]) / MemoryLayout<Float>.stride])
        for part in saved.parts {
            for start in stride(from: part.frames.lowerBound, to: part.frames.upperBound, by: FrameEncoder.gradientGroup) {
                let group = start..<min(part.frames.upperBound, start + FrameEncoder.gradientGroup)
                let again = SavedPart(frames: group, first: 0, base: saved.parts[0].base)
                if part.first > 0 { runSaving(0..<part.first, frames.rows(group), again, saved.features.rows(group), context) }
                func output(_ index: Int) -> Tensor {
                    let rows = group.lowerBound - part.frames.lowerBound..<group.upperBound - part.frames.lowerBound
                    if index == layers.count - 1 { return saved.features.rows(group) }
                    return index < part.first ? self.output(index, again, dFeatures) : self.output(index, part, dFeatures).rows(rows)
                }
                backward(frames.rows(group), dFeatures.rows(group), output, scratch, context)
            }
        }
    }

    /// The backward pass of one group of frames whose layers' outputs are given.
    private func backward(_ frames: Tensor, _ dFeatures: Tensor, _ output: (_ index: Int) -> Tensor, _ scratch: Tensor, _ context: Context)
    {
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

    /// The gradients of ReLUs that layer `index` computes along with its own.
    private func rectified(_ index: Int) -> RectifiedGradients {
        var rectified = RectifiedGradients()
        rectified.output = index < layers.count - 1
        rectified.input = index > 0 && layers[index - 1].hasReLU
        return rectified
    }

    /// Runs the layers of `range` on `input`, the frames of `saved`, and writes each output to its place there.
    private func runSaving(_ range: Range<Int>, _ input: Tensor, _ saved: SavedPart, _ features: Tensor, _ context: Context) {
        for index in range {
            layers[index].forward(
                index == 0 ? input : output(index - 1, saved, features), into: output(index, saved, features), context)
        }
    }

    /// The output of layer `index`; that of the last layer is the features.
    private func output(_ index: Int, _ saved: SavedPart, _ features: Tensor) -> Tensor {
        if index == layers.count - 1 { return features }
        return Tensor(saved.base + saved.frames.count * floats(saved.first..<index), shapes[index].prepending(saved.frames.count))
    }

    /// Floats saved for one frame: the input of layer `from` and the outputs from it on, but neither the frame nor the features.
    private func savedFloats(from: Int) -> Int { floats(max(0, from - 1)..<max(0, from - 1, layers.count - 1)) }

    /// Floats of the outputs of the layers of `range` for one frame, each in whole cache lines.
    private func floats(_ range: Range<Int>) -> Int { range.reduce(0) { $0 + (shapes[$1].count + 15) / 16 * 16 } }

    fileprivate func savedBytes(from: Int) -> Int { savedFloats(from: from) * MemoryLayout<Float>.stride }

    /// Bytes of a group's largest input gradient, among those that cannot take the place of the input.
    fileprivate func inPlaceScratchBytes(frames: Int) -> Int {
        let largest =
            layers.indices.dropFirst().map { index in
                layers[index].canOverwriteInput(inputShape(of: index), rectified(index)) ? 0 : inputShape(of: index).count
            }.max() ?? 0
        return min(frames, FrameEncoder.gradientGroup) * largest * MemoryLayout<Float>.stride
    }

    /// Operations of the layers of `range` on one frame.
    fileprivate func flops(_ range: Range<Int>) -> Double { range.reduce(0) { $0 + layers[$1].flops(inputShape(of: $1)) } }
}

/// The activations that a training step saves for the backward pass. It recomputes the others: as few as a limit in bytes allows.
///
/// The activations of a network's first layers are its largest and the cheapest to recompute. So each part, some
/// consecutive frames, saves everything from the input of a certain layer on. The first part saves all. Its backward pass comes
/// first, and its memory then holds the recomputed activations of the others, a group of frames at a time. The bits of the
/// gradients do not depend on the plan.
package struct ActivationPlan: Sendable, Equatable {
    /// Consecutive frames that save the outputs of the same layers.
    package struct Part: Sendable, Equatable {
        package let frames: Range<Int>
        /// The first layer that is not run again: its input and the outputs from it on are saved; all outputs if 0.
        package let from: Int

        package init(frames: Range<Int>, from: Int) {
            self.frames = frames
            self.from = from
        }
    }

    package let parts: [Part]
    package var frames: Int { parts[parts.count - 1].frames.upperBound }
    /// Bytes of activations that a step holds at most.
    package let bytes: Int
    /// The fraction of the forward pass's operations that is done twice, 0 ... 1.
    package let repeated: Double

    /// The plan for a step of `count` frames within `limit` bytes, or the one of the fewest bytes if none fits.
    package init(_ encoder: FrameEncoder, frames count: Int, limit: Int) {
        precondition(count > 0, "a step of \(count) frames")
        let group = FrameEncoder.gradientGroup
        let levels = ActivationPlan.levels(encoder)
        let costs = levels.map { encoder.savedBytes(from: $0) }
        var parts = [Part(frames: 0..<count, from: 0)]
        if count > group, Double(count) * Double(costs[0]) > Double(limit) {
            let rest = count - group
            let left = limit - group * costs[0]
            // The first level that fits for all frames, and how many of them can have the level before it, which saves more.
            let level = levels.indices.first { Double(rest) * Double(costs[$0]) <= Double(left) } ?? levels.count - 1
            let raised = level == 0 ? 0 : max(0, left - rest * costs[level]) / (costs[level - 1] - costs[level]) / group * group
            let cut = group + min(rest, raised)
            parts = [Part(frames: 0..<group, from: 0)]
            if cut > group {
                if level == 1 {
                    parts = [Part(frames: 0..<cut, from: 0)]
                } else {
                    parts.append(Part(frames: group..<cut, from: levels[level - 1]))
                }
            }
            if cut < count { parts.append(Part(frames: cut..<count, from: levels[level])) }
        }
        self.parts = parts
        bytes = ActivationPlan.bytes(encoder, parts)
        let all = Double(count) * encoder.flops(0..<encoder.layers.count)
        let again = parts.reduce(0) { $0 + Double($1.frames.count) * encoder.flops(0..<max(0, $1.from - 1)) }
        repeated = all > 0 ? again / all : 0
    }

    /// Layers from which on outputs may be saved, from all to the features only: those behind poolings, where maps are small.
    private static func levels(_ encoder: FrameEncoder) -> [Int] {
        [0] + encoder.layers.indices.dropFirst().filter { encoder.layers[$0 - 1] is MaxPool2D } + [encoder.layers.count]
    }

    /// Bytes that the parts save. The memory of the first part is at first the scratch of running the first layers of the others.
    private static func bytes(_ encoder: FrameEncoder, _ parts: [Part]) -> Int {
        let saved = parts.map { $0.frames.count * encoder.savedBytes(from: $0.from) }
        let scratch = parts.map { encoder.encodeBytes(0..<$0.from, frames: $0.frames.count) }.max() ?? 0
        return saved.dropFirst().reduce(0, +) + max(saved[0] + encoder.inPlaceScratchBytes(frames: parts[0].frames.count), scratch)
    }
}
