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
        /// The statistics of the layers that normalise by the batch, one layer after the other.
        fileprivate let statistics: UnsafeMutablePointer<Float>
    }

    /// The saved outputs of consecutive layers for some of the frames. Each output holds these frames one after the other.
    fileprivate struct SavedPart {
        let frames: Range<Int>
        /// The first layer whose output is here.
        let first: Int
        let base: UnsafeMutablePointer<Float>
    }

    /// Whether a layer is trained that normalises by all frames of a step: they must then be processed together.
    package var normalizesByBatch: Bool { graph.nodes.indices.contains { batchLayer($0) != nil } }

    /// The layer of node `index` if it normalises by the batch.
    private func batchLayer(_ index: Int) -> (any BatchLayer)? {
        let layer = graph.nodes[index].layer
        return layer.isTrainable ? layer as? any BatchLayer : nil
    }

    /// The place of the statistics of node `index`, in floats; for the number of nodes, the floats of all.
    private func statisticsOffset(_ index: Int) -> Int { (0..<index).reduce(0) { $0 + (batchLayer($1)?.statisticsCount ?? 0) } }

    /// Frames whose backward pass runs together.
    fileprivate func group(of frames: Int) -> Int { normalizesByBatch ? frames : min(frames, FrameEncoder.gradientGroup) }

    /// Runs frames (N, H, W, C) forward and saves the activations that `plan` selects.
    package func forward(frames: Tensor, saving plan: ActivationPlan, _ context: Context) -> SavedActivations {
        let features = context.workspace.take(outputShape.prepending(frames.shape[0]))
        check(frames: frames, features: features)
        precondition(isTrainable, "all layers are frozen")
        precondition(plan.frames == frames.shape[0], "a plan for \(plan.frames) frames, not \(frames.shape[0])")
        let statistics = context.workspace.take([statisticsOffset(graph.nodes.count)]).base
        var parts: [SavedPart] = []
        // The first part comes last: until then the others use its memory as scratch.
        for part in plan.parts.dropFirst() + plan.parts.prefix(1) {
            let saved = SavedPart(
                frames: part.frames, first: max(0, part.from - 1),
                base: context.workspace.take([part.frames.count * savedFloats(from: part.from)]).base)
            let input = frames.rows(part.frames)
            let features = features.rows(part.frames)
            if part.from > 0 { run(0..<part.from, input, into: output(part.from - 1, saved, features), isFolding: false, context) }
            runSaving(part.from..<graph.nodes.count, input, saved, features, statistics, context)
            parts.append(saved)
        }
        return SavedActivations(features: features, parts: parts.suffix(1) + parts.dropLast(), statistics: statistics)
    }

    /// Adds the parameters' gradients, given those of the features, dFeatures (N, ...), a group of frames at a time. It
    /// overwrites `saved`: the gradient of a layer's output takes the place of that output.
    package func backward(frames: Tensor, saved: SavedActivations, dFeatures: Tensor, _ context: Context) {
        check(frames: frames, features: dFeatures)
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let scratch = Scratch(gradients, frames: group(of: frames.shape[0]), context.workspace)
        for part in saved.parts {
            for start in stride(from: part.frames.lowerBound, to: part.frames.upperBound, by: group(of: frames.shape[0])) {
                let group = start..<min(part.frames.upperBound, start + group(of: frames.shape[0]))
                let again = SavedPart(frames: group, first: 0, base: saved.parts[0].base)
                if part.first > 0 {
                    runSaving(0..<part.first, frames.rows(group), again, saved.features.rows(group), saved.statistics, context)
                }
                func output(_ index: Int) -> Tensor {
                    let rows = group.lowerBound - part.frames.lowerBound..<group.upperBound - part.frames.lowerBound
                    if index < 0 { return frames.rows(group) }
                    if index == graph.nodes.count - 1 { return saved.features.rows(group) }
                    return index < part.first ? self.output(index, again, dFeatures) : self.output(index, part, dFeatures).rows(rows)
                }
                backward(dFeatures.rows(group), output, saved.statistics, scratch, context)
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
    private func backward(
        _ dFeatures: Tensor, _ output: (_ index: Int) -> Tensor, _ statistics: UnsafeMutablePointer<Float>, _ scratch: Scratch,
        _ context: Context
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
                if let batch = batchLayer(index), context.isTraining {
                    let saved = Tensor(statistics + statisticsOffset(index), [batch.statisticsCount])
                    batch.backward(
                        gradient(index), input: output(input), into: dFirst, statistics: saved, rectified: rectified, context)
                } else {
                    layer.backward(
                        gradient(index), input: output(input), output: output(index), into: dFirst, rectified: rectified, context)
                }
            case .merge(let layer):
                layer.backward(
                    gradient(index), first: output(node.inputs[0]), second: output(node.inputs[1]), output: output(index), into: dFirst,
                    dSecond, isRectified: rectified.output, context)
            }
            for (input, written) in targets { keep(written, input, by: index, gradient(input), isMerge: node.inputs.count > 1, context) }
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
    private func runSaving(
        _ range: Range<Int>, _ input: Tensor, _ saved: SavedPart, _ features: Tensor, _ statistics: UnsafeMutablePointer<Float>,
        _ context: Context
    ) {
        for index in range {
            let target = output(index, saved, features)
            func value(_ node: Int) -> Tensor { node < 0 ? input : output(node, saved, features) }
            if let batch = batchLayer(index), context.isTraining {
                batch.forward(
                    value(graph.nodes[index].inputs[0]), into: target,
                    statistics: Tensor(statistics + statisticsOffset(index), [batch.statisticsCount]), context)
            } else {
                perform(index, value, into: target, context)
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
    private func floats(_ range: Range<Int>) -> Int { range.reduce(0) { $0 + (shapes[$1].count + 15) / 16 * 16 } }

    fileprivate func savedBytes(from: Int) -> Int { savedFloats(from: from) * MemoryLayout<Float>.stride }

    /// Bytes of the gradients that are not in the place of an output, and of saved statistics, for a part of so many frames.
    fileprivate func gradientBytes(frames: Int) -> Int {
        let floats = gradients.slotFloats + gradients.scratch.first + gradients.scratch.second
        return (Size.product(group(of: frames), floats) + statisticsOffset(graph.nodes.count)) * MemoryLayout<Float>.stride
    }

    /// Operations of the layers of `range` on one frame.
    fileprivate func flops(_ range: Range<Int>) -> Double { range.reduce(0) { $0 + graph.nodes[$1].layer.flops(inputShape(of: $1)) } }
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
        let group = encoder.normalizesByBatch ? count : FrameEncoder.gradientGroup
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
        let all = Double(count) * encoder.flops(0..<encoder.graph.nodes.count)
        let again = parts.reduce(0) { $0 + Double($1.frames.count) * encoder.flops(0..<max(0, $1.from - 1)) }
        repeated = all > 0 ? again / all : 0
    }

    /// Layers from which on outputs may be saved, from all to the features only: those behind which maps have become smaller.
    private static func levels(_ encoder: FrameEncoder) -> [Int] {
        let graph = encoder.graph
        func positions(_ cut: Int) -> Int { graph.shape(cut - 1).count / graph.shape(cut - 1).last }
        // What is saved from layer 1 on is all.
        let cuts = [0] + (2..<max(2, graph.nodes.count)).filter { graph.isCut[$0] }
        return [0] + zip(cuts, cuts.dropFirst()).filter { positions($1) < positions($0) }.map(\.1) + [graph.nodes.count]
    }

    /// Bytes that the parts save. The memory of the first part is at first the scratch of running the first layers of the others.
    private static func bytes(_ encoder: FrameEncoder, _ parts: [Part]) -> Int {
        let saved = parts.map { $0.frames.count * encoder.savedBytes(from: $0.from) }
        let scratch = parts.map { encoder.encodeBytes(0..<$0.from, frames: $0.frames.count, isFolding: false) }.max() ?? 0
        return saved.dropFirst().reduce(0, +) + max(saved[0] + encoder.gradientBytes(frames: parts[0].frames.count), scratch)
    }
}
