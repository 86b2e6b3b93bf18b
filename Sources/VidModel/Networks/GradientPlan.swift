import VidTensor

/// Where a backward pass keeps the gradient of each node's output.
///
/// Mostly it takes the place of the output: the only layer that takes the output has then used it, and has applied the ReLU before
/// it. An output that several layers take, or that its own layer's `backward` reads, is still needed. Its gradient is in a
/// slot of its own from the last of these layers to its own.
struct GradientPlan: Sendable {
    /// The slot of each node that has one, in floats for one frame.
    let slots: [Int?]
    /// Floats of the slots for one frame.
    let slotFloats: Int
    /// Floats for one frame of the largest gradient that has to be written elsewhere before it gets to its place: of a layer's first
    /// input, and of its second.
    let scratch: (first: Int, second: Int)

    init(_ graph: NetworkGraph, needs: [Bool]) {
        var slots = [Int?](repeating: nil, count: graph.nodes.count)
        var floats = 0
        // Backwards: a slot is taken at a node's last consumer, and free again behind the node itself.
        var live: [(place: Range<Int>, node: Int)] = []
        for index in graph.nodes.indices.reversed() where needs[index] {
            for input in graph.nodes[index].inputs where input >= 0 && needs[input] && slots[input] == nil {
                guard graph.consumers[input].count > 1 || graph.nodes[input].layer.readsOutput else { continue }
                live.removeAll { $0.node > index }
                let place = StepMemory.place(Workspace.wholeLines(graph.shapes[input].count), among: live.map(\.place))
                live.append((place, input))
                slots[input] = place.lowerBound
                floats = max(floats, place.upperBound)
            }
        }
        self.slots = slots
        slotFloats = floats
        var scratch = (first: 0, second: 0)
        for (index, node) in graph.nodes.enumerated() where needs[index] {
            for (place, input) in node.inputs.enumerated() where input >= 0 && needs[input] {
                let isInPlace = slots[input] == nil && GradientPlan.isInPlace(graph, index, input, slots)
                let isFirstInSlot = slots[input] != nil && graph.consumers[input].last == index
                if isInPlace || isFirstInSlot { continue }
                let count = Workspace.wholeLines(graph.shapes[input].count)
                if place == 0 { scratch.first = max(scratch.first, count) } else { scratch.second = max(scratch.second, count) }
            }
        }
        self.scratch = scratch
    }

    /// Whether node `index` writes the gradient of its input over that input.
    static func isInPlace(_ graph: NetworkGraph, _ index: Int, _ input: Int, _ slots: [Int?]) -> Bool {
        var rectified = RectifiedGradients()
        rectified.input = slots[input] == nil && graph.nodes[input].layer.hasReLU
        return graph.nodes[index].layer.canOverwriteInput(graph.shapes[input], rectified)
    }
}
