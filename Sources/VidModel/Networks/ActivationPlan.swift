import VidTensor

/// Which activations a training step keeps of its frames for the way back, and which it makes again: as few as a number of
/// bytes allows.
///
/// The activations of a network's first layers are its largest and its cheapest to make again, so what is kept is kept
/// from the last layer backwards: consecutive frames share a layer from whose input on everything is kept. The first part
/// of the frames keeps all. It goes back first, and its memory then holds what is made again of the others, a group of
/// frames at a time. The bits of the gradients do not depend on the plan.
package struct ActivationPlan: Sendable, Equatable {
    /// Consecutive frames that keep the outputs of the same layers.
    package struct Part: Sendable, Equatable {
        package let frames: Range<Int>
        /// The first layer that is not run again: its input and the outputs from it on are kept. 0: all are.
        package let from: Int

        package init(frames: Range<Int>, from: Int) {
            self.frames = frames
            self.from = from
        }
    }

    package let parts: [Part]
    package var frames: Int { parts[parts.count - 1].frames.upperBound }
    /// Bytes that a step holds of activations at most.
    package let bytes: Int
    /// The share of the forward pass's operations that is done twice, 0 ... 1.
    package let repeated: Double

    /// The plan for a step of `frames` frames that keeps within `limit` bytes, or the one of the fewest bytes where none does.
    package init(_ encoder: FrameEncoder, frames count: Int, limit: Int) {
        precondition(count > 0, "a step of \(count) frames")
        let group = FrameEncoder.gradientGroup
        let levels = ActivationPlan.levels(encoder)
        let costs = levels.map { encoder.keptBytes(from: $0) }
        var parts = [Part(frames: 0..<count, from: 0)]
        if count > group, Double(count) * Double(costs[0]) > Double(limit) {
            let rest = count - group
            let left = limit - group * costs[0]
            // The lowest level that all frames can have, and how many of them can have the next one, too.
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

    /// Layers from which on outputs may be kept, from all to none but the features: those behind poolings, where maps are small.
    private static func levels(_ encoder: FrameEncoder) -> [Int] {
        [0] + encoder.layers.indices.dropFirst().filter { encoder.layers[$0 - 1] is MaxPool2D } + [encoder.layers.count]
    }

    /// What the parts keep; before the first part takes its memory, the scratch of running the others' first layers is there.
    private static func bytes(_ encoder: FrameEncoder, _ parts: [Part]) -> Int {
        let kept = parts.map { $0.frames.count * encoder.keptBytes(from: $0.from) }
        let scratch = parts.map { encoder.encodeBytes(0..<$0.from, frames: $0.frames.count) }.max() ?? 0
        return kept.dropFirst().reduce(0, +) + max(kept[0] + encoder.inPlaceScratchBytes(frames: parts[0].frames.count), scratch)
    }
}
