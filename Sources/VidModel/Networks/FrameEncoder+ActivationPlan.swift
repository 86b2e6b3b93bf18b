import VidSystem
import VidTensor

/// The activations that a training step saves for the backward pass. It recomputes the others: as few as a limit in bytes allows.
///
/// The activations of a network's first layers are its largest and the cheapest to recompute. So each part, some
/// consecutive frames, saves everything from the input of a certain layer on. The first part saves all. Its backward pass comes
/// first, and its memory then holds the recomputed activations of the others, a group of frames at a time. Where a layer normalises
/// by the batch, all frames go through each layer together, and a `StepSchedule` tells what is kept of them. The bits of the
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
    /// The schedule of a step that runs each layer on all frames at once. It is nil if groups of frames are processed in turn.
    let schedule: StepSchedule?
    package var frames: Int { parts[parts.count - 1].frames.upperBound }
    /// Bytes of activations that a step holds at most.
    package let bytes: Int
    /// The fraction of the forward pass's work that is done twice, 0 ... 1.
    package let repeated: Double

    /// The plan for a step of `count` frames within `limit` bytes, or the one of the fewest bytes if none fits.
    package init(_ encoder: FrameEncoder, frames count: Int, limit: Int) {
        precondition(count > 0, "a step of \(count) frames")
        if encoder.normalizesByBatch {
            let room = (limit - encoder.statisticsBytes) / (count * MemoryLayout<Float>.stride)
            self = ActivationPlan(encoder, StepSchedule.least(encoder.graph, needs: encoder.needsGradient, floats: room), frames: count)
            return
        }
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
        schedule = nil
        bytes = ActivationPlan.bytes(encoder, parts)
        let all = Double(count) * encoder.flops(0..<encoder.graph.nodes.count)
        let again = parts.reduce(0) { $0 + Double($1.frames.count) * encoder.flops(0..<max(0, $1.from - 1)) }
        repeated = all > 0 ? again / all : 0
    }

    /// The plan of a step on `count` frames at once.
    private init(_ encoder: FrameEncoder, _ schedule: StepSchedule, frames count: Int) {
        parts = [Part(frames: 0..<count, from: 0)]
        self.schedule = schedule
        bytes = Size.sum([Size.product(count, schedule.floats, MemoryLayout<Float>.stride), encoder.statisticsBytes])
        repeated = schedule.repeated
    }

    /// The plan for a step of `count` frames, no more than this one's, within the same bytes.
    package func resized(_ encoder: FrameEncoder, frames count: Int) -> ActivationPlan {
        if count == frames { return self }
        return schedule.map { ActivationPlan(encoder, $0, frames: count) } ?? ActivationPlan(encoder, frames: count, limit: bytes)
    }

    /// The layers whose outputs a step on all frames at once keeps while it computes the others before the last of them again; nil where
    /// frames go by groups.
    package var checkpoints: [Int]? { schedule?.kept.checkpoints }

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
