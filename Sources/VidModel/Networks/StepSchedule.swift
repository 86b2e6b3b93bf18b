import VidTensor

/// The operations of a training step that runs each layer on all frames of the step at once, as trained batch normalisation needs,
/// and where each keeps its maps.
///
/// Maps that the backward pass reads are kept from the forward pass, or computed again from kept ones when they are needed
/// (Chen et al. 2016, "Training deep nets with sublinear memory cost"). A layer's operations are the same ones in the same order
/// whatever is kept, and so are the bits of features and gradients.
struct StepSchedule: Sendable, Equatable {
    /// The number of a map, or of a map's gradient: an index of `offsets`. The first three are not in the step's memory.
    typealias Value = Int
    static let (frames, features, dFeatures) = (0, 1, 2)

    struct Operation: Sendable, Equatable {
        enum Kind: Sendable, Equatable { case forward, again, backward }

        let kind: Kind
        let node: Int
        /// The node's inputs; nil where they are not read.
        var inputs: [Value?]
        /// The node's output; nil where it is not read.
        var output: Value?
        /// The gradient of the output.
        var gradient: Value?
        /// Where the gradients of the inputs are written; nil where they are not needed.
        var targets: [Target?] = []
        var rectified = RectifiedGradients()
    }

    struct Target: Sendable, Equatable {
        let value: Value
        /// The gradient of other layers, to which this one is added.
        var sum: Value?
    }

    /// Which outputs stay in memory behind their first computation, until the backward pass has used them, and which behind a
    /// repeated one.
    struct Kept: Sendable, Equatable {
        var first: [Bool]
        var again: [Bool]
        /// The nodes whose outputs are kept while the others before the last of them are computed again.
        var checkpoints: [Int] = []
    }

    let operations: [Operation]
    /// The number of operations that are the forward pass.
    let forwardCount: Int
    /// The place of each value, in floats for one frame.
    let offsets: [Int]
    /// Floats for one frame.
    let floats: Int
    /// The fraction of the forward pass's work that is done twice.
    let repeated: Double
    let kept: Kept

    /// - Parameter needs: whether the gradient of each node's output is needed.
    init(_ graph: NetworkGraph, needs: [Bool], _ kept: Kept) {
        let draft = ScheduleDraft(graph, needs: needs, kept)
        operations = draft.operations
        forwardCount = graph.nodes.count
        repeated = draft.repeatedWork / graph.nodes.indices.reduce(0) { $0 + graph.work($1) }
        self.kept = kept
        // The largest first: the others fit into what is left beside them.
        var offsets = [Int](repeating: 0, count: draft.values.count)
        var placed: [(place: Range<Int>, life: ClosedRange<Int>)] = []
        let order = draft.values.indices.filter { draft.values[$0].floats > 0 }.sorted {
            let (a, b) = (draft.values[$0], draft.values[$1])
            return (b.floats, a.first, $0) < (a.floats, b.first, $1)
        }
        for value in order {
            let life = draft.values[value].first...draft.values[value].last
            let place = StepMemory.place(draft.values[value].floats, among: placed.filter { $0.life.overlaps(life) }.map(\.place))
            placed.append((place, life))
            offsets[value] = place.lowerBound
        }
        self.offsets = offsets
        floats = placed.map(\.place.upperBound).max() ?? 0
    }
}

/// The operations of a step before their values have places.
struct ScheduleDraft {
    /// A map from the first operation that writes it to the last that uses it.
    struct Lifetime {
        /// For one frame, in whole cache lines; 0 for what is not in the step's memory.
        let floats: Int
        var first: Int
        var last: Int
    }

    private let graph: NetworkGraph
    private let needs: [Bool]
    private let kept: StepSchedule.Kept
    private(set) var operations: [StepSchedule.Operation] = []
    private(set) var values: [Lifetime]
    /// The value that holds each node's output now, and its gradient.
    private var outputs: [StepSchedule.Value?]
    private var gradients: [StepSchedule.Value?]
    /// Whether the layer behind a node has applied the node's ReLU to its gradient.
    private var isRectified: [Bool]

    init(_ graph: NetworkGraph, needs: [Bool], _ kept: StepSchedule.Kept) {
        self.graph = graph
        self.needs = needs
        self.kept = kept
        values = [Lifetime](repeating: .init(floats: 0, first: 0, last: 0), count: StepSchedule.dFeatures + 1)
        outputs = [StepSchedule.Value?](repeating: nil, count: graph.nodes.count)
        gradients = outputs
        isRectified = [Bool](repeating: false, count: graph.nodes.count)
        let last = graph.nodes.count - 1
        for index in graph.nodes.indices {
            run(index, .forward, inputs: graph.nodes[index].inputs.map { $0 < 0 ? StepSchedule.frames : outputs[$0] })
            for input in graph.nodes[index].inputs where input >= 0 && graph.consumers[input].last == index && !kept.first[input] {
                outputs[input] = nil
            }
        }
        gradients[last] = StepSchedule.dFeatures
        for index in graph.nodes.indices.reversed() where needs[index] { goBack(index) }
    }

    /// The most floats for one frame that are in use at once: no placement needs less.
    var floats: Int {
        var changes = [Int](repeating: 0, count: operations.count + 1)
        for value in values {
            changes[value.first] += value.floats
            changes[value.last + 1] -= value.floats
        }
        var (now, most) = (0, 0)
        for change in changes {
            now += change
            most = max(most, now)
        }
        return most
    }

    /// The work of the operations that are done twice.
    var repeatedWork: Double { operations.reduce(0) { $0 + ($1.kind == .again ? graph.work($1.node) : 0) } }

    /// Whether the backward pass of node `index` reads its output.
    private func readsOutput(_ index: Int) -> Bool {
        let layer = graph.nodes[index].layer
        return layer.readsOutput || (layer.readsOutputForReLU && !isRectified[index])
    }

    private mutating func makeValue(of node: Int) -> StepSchedule.Value {
        values.append(.init(floats: Workspace.wholeLines(graph.shapes[node].count), first: operations.count, last: operations.count))
        return values.count - 1
    }

    private mutating func append(_ operation: StepSchedule.Operation) {
        var used = operation.inputs + [operation.output, operation.gradient]
        for target in operation.targets { used += [target?.value, target?.sum] }
        for case let value? in used { values[value].last = operations.count }
        operations.append(operation)
    }

    private mutating func run(_ index: Int, _ kind: StepSchedule.Operation.Kind, inputs: [StepSchedule.Value?]) {
        let output = index == graph.nodes.count - 1 ? StepSchedule.features : makeValue(of: index)
        append(.init(kind: kind, node: index, inputs: inputs, output: output))
        outputs[index] = output
    }

    /// The output of a node, computed again from kept ones if it is not there. Outputs that do not stay are added to `passing`.
    private mutating func output(_ index: Int, _ passing: inout [Int]) -> StepSchedule.Value {
        if index < 0 { return StepSchedule.frames }
        if let value = outputs[index] { return value }
        var onTheWay: [Int] = []
        let inputs = graph.nodes[index].inputs.map { output($0, &onTheWay) }
        run(index, .again, inputs: inputs)
        for node in onTheWay { outputs[node] = nil }
        if !kept.again[index] { passing.append(index) }
        return outputs[index] ?? StepSchedule.features
    }

    private mutating func goBack(_ index: Int) {
        guard let gradient = gradients[index] else { preconditionFailure("no layer gives a gradient to \(graph.nodes[index].layer.name)") }
        let node = graph.nodes[index]
        var rectified = RectifiedGradients()
        rectified.output = isRectified[index]
        if case .layer(let layer) = node.operation, layer.readsInput, case let input = node.inputs[0], input >= 0, needs[input] {
            let before = graph.nodes[input].layer
            rectified.input = before.hasReLU && !before.readsOutput && graph.consumers[input] == [index]
            isRectified[input] = rectified.input
        }
        var passing: [Int] = []
        let readsOutput = readsOutput(index)
        let inputs = node.inputs.map { node.layer.readsInput ? output($0, &passing) : nil }
        let own = readsOutput ? output(index, &passing) : nil
        // Every value that is written here begins with the operation that comes next.
        let targets = node.inputs.indices.map { target(index, $0, gradient, rectified) }
        append(
            .init(
                kind: .backward, node: index, inputs: inputs, output: own, gradient: gradient, targets: targets, rectified: rectified))
        for node in passing { outputs[node] = nil }
    }

    /// Where node `index` writes the gradient of its input `place`.
    private mutating func target(
        _ index: Int, _ place: Int, _ gradient: StepSchedule.Value, _ rectified: RectifiedGradients
    ) -> StepSchedule.Target? {
        let (input, layer) = (graph.nodes[index].inputs[place], graph.nodes[index].layer)
        guard input >= 0, needs[input] else { return nil }
        let canTakeGradient =
            place == 0 && layer.canOverwriteOutputGradient && gradient != StepSchedule.dFeatures
            && graph.shapes[index].count == graph.shapes[input].count
        if let sum = gradients[input] { return .init(value: canTakeGradient ? gradient : makeValue(of: input), sum: sum) }
        var value = canTakeGradient ? gradient : nil
        // An input that is not read may be gone already.
        if layer.readsInput, let own = outputs[input], graph.consumers[input] == [index], !readsOutput(input),
            layer.canOverwriteInput(graph.shapes[input], rectified)
        {
            value = own
            outputs[input] = nil
        }
        gradients[input] = value ?? makeValue(of: input)
        return gradients[input].map { .init(value: $0) }
    }
}

extension NetworkGraph {
    /// The work of running node `index` on one frame, in floating-point operations. To read and write a number takes as long as
    /// about a hundred of them.
    func work(_ index: Int) -> Double { nodes[index].layer.flops(inputShape(of: index)) + 100 * Double(shapes[index].count) }
}
