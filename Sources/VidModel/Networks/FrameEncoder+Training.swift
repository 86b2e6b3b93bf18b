import VidSystem
import VidTensor

/// Training: a network whose first layers may be frozen, as `split` returns it.
extension FrameEncoder {
    /// Frames whose gradients are summed together, so that small maps fill a matrix multiplication.
    package static let gradientGroup = Convolution.frameGroup

    /// The activations that `forward` saves for `backward`, in the context's workspace.
    package struct SavedActivations {
        /// The network's output (N, ...).
        package let features: Tensor
        fileprivate let parts: [SavedPart]
        /// The step, if it runs each layer on all frames at once; nil if `parts` are saved.
        fileprivate var batch: BatchStep?
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
        precondition(isTrainable, "all layers are frozen")
        precondition(plan.frames == frames.shape[0], "a plan for \(plan.frames) frames, not \(frames.shape[0])")
        if let schedule = plan.schedule {
            let step = BatchStep(self, schedule, frames: frames, features: features, context.workspace)
            step.forward(context)
            return SavedActivations(features: features, parts: [], batch: step)
        }
        var parts: [SavedPart] = []
        // The first part comes last: until then the others use its memory as scratch.
        for part in plan.parts.dropFirst() + plan.parts.prefix(1) {
            let saved = SavedPart(
                frames: part.frames, first: max(0, part.from - 1),
                base: context.workspace.take([part.frames.count * savedFloats(from: part.from)]).base)
            let input = frames.rows(part.frames)
            let features = features.rows(part.frames)
            if part.from > 0 { run(0..<part.from, input, into: output(part.from - 1, saved, features), isFolding: false, context) }
            runSaving(part.from..<graph.nodes.count, input, saved, features, context)
            parts.append(saved)
        }
        return SavedActivations(features: features, parts: parts.suffix(1) + parts.dropLast())
    }

    /// Adds the parameters' gradients, given those of the features, dFeatures (N, ...), a group of frames at a time or, where
    /// a layer normalises by the batch, for all frames at once. It overwrites `saved` and `dFeatures`: the gradient of a layer's
    /// output takes the place of that output.
    package func backward(frames: Tensor, saved: SavedActivations, dFeatures: Tensor, _ context: Context) {
        check(frames: frames, features: dFeatures)
        if let batch = saved.batch { return batch.backward(dFeatures, context) }
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let size = min(frames.shape[0], FrameEncoder.gradientGroup)
        let scratch = Scratch(gradients, frames: size, context.workspace)
        for (number, part) in saved.parts.enumerated() {
            for start in stride(from: part.frames.lowerBound, to: part.frames.upperBound, by: size) {
                let group = start..<min(part.frames.upperBound, start + size)
                let again = SavedPart(frames: group, first: 0, base: saved.parts[0].base)
                if part.first > 0 { runSaving(0..<part.first, frames.rows(group), again, saved.features.rows(group), context) }
                func output(_ index: Int) -> Tensor {
                    let rows = group.lowerBound - part.frames.lowerBound..<group.upperBound - part.frames.lowerBound
                    if index < 0 { return frames.rows(group) }
                    if index == graph.nodes.count - 1 { return saved.features.rows(group) }
                    return index < part.first ? self.output(index, again, dFeatures) : self.output(index, part, dFeatures).rows(rows)
                }
                let isLast = number == saved.parts.count - 1 && group.upperBound == part.frames.upperBound
                backward(dFeatures.rows(group), output, scratch, context, didFinish: isLast ? context.didFinishLayer : nil)
            }
        }
    }

    /// The memory of the gradients that are not in the place of an output.
    private struct Scratch {
        let slots: Tensor
        let first: Tensor
        let second: Tensor

        init(_ plan: GradientPlan, frames: Int, _ workspace: Workspace) {
            slots = workspace.take([frames, plan.slotFloats])
            first = workspace.take([frames, plan.scratch.first])
            second = workspace.take([frames, plan.scratch.second])
        }
    }

    /// The backward pass of one group of frames whose layers' outputs are given; `frames` is the number of the input.
    ///
    /// - Parameter didFinish: called after each layer.
    private func backward(
        _ dFeatures: Tensor, _ output: (_ index: Int) -> Tensor, _ scratch: Scratch, _ context: Context, didFinish: ((String) -> Void)?
    ) {
        let last = graph.nodes.count - 1
        let frames = dFeatures.shape[0]
        /// The place of the gradient of a node's output.
        func gradient(_ index: Int) -> Tensor {
            if index == last { return dFeatures }
            guard let slot = gradients.slots[index] else { return output(index) }
            return Tensor(scratch.slots.base + slot * frames, shapes[index].prepending(frames))
        }
        for index in graph.nodes.indices.reversed() where needsGradient[index] {
            let node = graph.nodes[index]
            var rectified = RectifiedGradients()
            rectified.output = index < last && gradients.slots[index] == nil
            var targets: [(input: Int, tensor: Tensor)] = []
            func target(_ place: Int) -> Tensor? {
                guard place < node.inputs.count, case let input = node.inputs[place], input >= 0, needsGradient[input] else { return nil }
                let own = gradient(input)
                let isDirect =
                    gradients.slots[input] == nil
                    ? GradientPlan.isInPlace(graph, index, input, gradients.slots) : graph.consumers[input].last == index
                let tensor = isDirect ? own : Tensor((place == 0 ? scratch.first : scratch.second).base, own.shape)
                targets.append((input, tensor))
                return tensor
            }
            let (dFirst, dSecond) = (target(0), target(1))
            switch node.operation {
            case .layer(let layer):
                let input = node.inputs[0]
                rectified.input = dFirst != nil && gradients.slots[input] == nil && graph.nodes[input].layer.hasReLU
                layer.backward(
                    gradient(index), input: output(input), output: output(index), into: dFirst, rectified: rectified, context)
            case .merge(let layer):
                layer.backward(
                    gradient(index), first: output(node.inputs[0]), second: output(node.inputs[1]), output: output(index), into: dFirst,
                    dSecond, isRectified: rectified.output, context)
            }
            for (input, written) in targets { keep(written, input, by: index, gradient(input), isMerge: node.inputs.count > 1, context) }
            didFinish?(node.layer.name)
        }
    }

    /// Brings the gradient of the output of node `input` that node `index` has written to its place `own`.
    private func keep(_ written: Tensor, _ input: Int, by index: Int, _ own: Tensor, isMerge: Bool, _ context: Context) {
        guard written.base != own.base else { return }
        if gradients.slots[input] != nil {
            Elementwise.add(own, written, into: own, context.workers)
        } else if isMerge, graph.nodes[input].layer.hasReLU {
            // The output is still in the place of the gradient.
            Rectifier.gradient(output: own, dOutput: written, dInput: own, workers: context.workers)
        } else {
            own.copy(from: written)
        }
    }

    /// Runs the layers of `range` on `input`, the frames of `saved`, and writes each output to its place there.
    private func runSaving(_ range: Range<Int>, _ input: Tensor, _ saved: SavedPart, _ features: Tensor, _ context: Context) {
        func value(_ index: Int) -> Tensor { index < 0 ? input : output(index, saved, features) }
        for step in graph.steps(range, isFolding: false) {
            let first = step.nodes.lowerBound
            // A convolution writes its output and, while that is in registers, what the pooling behind it makes of it.
            if step.nodes.count == 2, let finish = step.finish, finish.isPooled, let layer = graph.nodes[first].layer as? Conv2D {
                layer.forward(value(step.inputs[0]), into: value(step.last), unpooled: value(first), finish, context)
            } else {
                for index in step.nodes { perform(index, value, into: value(index), context) }
            }
        }
    }

    /// The output of layer `index`; that of the last layer is the features.
    private func output(_ index: Int, _ saved: SavedPart, _ features: Tensor) -> Tensor {
        if index == graph.nodes.count - 1 { return features }
        return Tensor(saved.base + saved.frames.count * floats(saved.first..<index), shapes[index].prepending(saved.frames.count))
    }

    /// Floats saved for one frame: the input of layer `from` and the outputs from it on, but neither the frame nor the features.
    private func savedFloats(from: Int) -> Int { floats(max(0, from - 1)..<max(0, from - 1, graph.nodes.count - 1)) }

    /// Floats of the outputs of the layers of `range` for one frame, each in whole cache lines.
    private func floats(_ range: Range<Int>) -> Int { range.reduce(0) { $0 + Workspace.wholeLines(shapes[$1].count) } }

    func savedBytes(from: Int) -> Int { savedFloats(from: from) * MemoryLayout<Float>.stride }

    /// Bytes of the gradients that are not in the place of an output, for a part of so many frames.
    func gradientBytes(frames: Int) -> Int {
        let floats = gradients.slotFloats + gradients.scratch.first + gradients.scratch.second
        return Size.product(min(frames, FrameEncoder.gradientGroup), floats, MemoryLayout<Float>.stride)
    }

    /// Operations of the layers of `range` on one frame.
    func flops(_ range: Range<Int>) -> Double { range.reduce(0) { $0 + graph.nodes[$1].layer.flops(inputShape(of: $1)) } }
}
