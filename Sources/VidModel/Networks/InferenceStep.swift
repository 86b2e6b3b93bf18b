import VidTensor

/// Consecutive nodes that run as one: a convolution with the layers behind it that it computes as well, or a single node.
struct InferenceStep: Sendable {
    let nodes: Range<Int>
    /// What the convolution at the start of `nodes` computes besides itself; nil for any other layer.
    var finish: Finish?
    /// The nodes whose outputs the step takes.
    let inputs: [Int]

    /// The node whose output the step writes.
    var last: Int { nodes.upperBound - 1 }
}

extension NetworkGraph {
    /// The steps that run the nodes of `range`.
    ///
    /// - Parameter isFolding: whether batch normalisation is folded into convolutions, which rounds otherwise. Without it the steps
    ///   have the bits of the single nodes.
    func steps(_ range: Range<Int>, isFolding: Bool) -> [InferenceStep] {
        var steps: [InferenceStep] = []
        var index = range.lowerBound
        while index < range.upperBound {
            let step = step(at: index, before: range.upperBound, isFolding: isFolding)
            steps.append(step)
            index = step.nodes.upperBound
        }
        return steps
    }

    private func step(at start: Int, before end: Int, isFolding: Bool) -> InferenceStep {
        let single = InferenceStep(nodes: start..<start + 1, inputs: nodes[start].inputs)
        guard let convolution = nodes[start].layer as? any FusingLayer else { return single }
        let input = inputShape(of: start)
        var step = single
        var finish = Finish()
        finish.activation = convolution.hasReLU ? .relu : .linear
        step.finish = finish
        while let next = self.next(after: step, before: end, isFolding: isFolding), let finish = next.finish,
            convolution.canFinish(finish, input)
        {
            step = next
        }
        return step
    }

    /// The step with the node behind it; nil if that node cannot be a part of it.
    private func next(after step: InferenceStep, before end: Int, isFolding: Bool) -> InferenceStep? {
        let index = step.nodes.upperBound
        guard index < end, consumers[step.last] == [index], var finish = step.finish, !finish.isPooled else { return nil }
        var inputs = step.inputs
        switch nodes[index].layer {
        case let pool as MaxPool2D where pool.isHalving:
            finish.isPooled = true
        case let normalization as MapNormalization where isFolding && finish.activation == .linear && step.nodes.count == 1:
            finish.normalization = normalization.parameters
            finish.activation = normalization.activation
        case let activation as MapActivationLayer where isFolding && finish.activation == .linear:
            finish.activation = activation.kind
        case let sum as Add where isFolding && finish.activation == .linear && !finish.isAdding:
            // The other summand must be there already.
            guard let other = nodes[index].inputs.first(where: { $0 != step.last }), other < step.nodes.lowerBound else { return nil }
            finish.isAdding = true
            finish.activation = sum.hasReLU ? .relu : .linear
            inputs.append(other)
        default: return nil
        }
        return InferenceStep(nodes: step.nodes.lowerBound..<index + 1, finish: finish, inputs: inputs)
    }
}

/// Where the steps of a run write their outputs: in a memory that is used again as soon as an output is no longer needed.
struct StepMemory {
    /// Floats for one frame.
    private(set) var floats = 0
    /// The place of the output of each step, in floats for one frame; nil for the last, which goes elsewhere.
    private(set) var offsets: [Int?] = []

    /// Outputs are placed in order, each at the lowest free place.
    init(_ steps: [InferenceStep], of graph: NetworkGraph) {
        let range = (steps.first?.nodes.lowerBound ?? 0)..<(steps.last?.nodes.upperBound ?? 0)
        // The step that uses each step's output last.
        var lastUse = [Int: Int]()
        for (index, step) in steps.enumerated() { for input in step.inputs { lastUse[input] = index } }
        var live: [(place: Range<Int>, until: Int)] = []
        for (index, step) in steps.enumerated() {
            guard step.last < range.upperBound - 1 else {
                offsets.append(nil)
                continue
            }
            live.removeAll { $0.until < index }
            let place = StepMemory.place((graph.shapes[step.last].count + 15) / 16 * 16, among: live.map(\.place))
            live.append((place, lastUse[step.last] ?? index))
            offsets.append(place.lowerBound)
            floats = max(floats, place.upperBound)
        }
    }

    /// The lowest range of `count` places that overlaps none of `taken`.
    static func place(_ count: Int, among taken: [Range<Int>]) -> Range<Int> {
        var start = 0
        for range in taken.sorted(by: { $0.lowerBound < $1.lowerBound }) where range.lowerBound < start + count {
            start = max(start, range.upperBound)
        }
        return start..<start + count
    }
}
