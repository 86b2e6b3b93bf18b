import Foundation
import VidTensor

/// Consecutive nodes that run as one: a convolution with the layers behind it that it computes as well, a single node, or several
/// such steps by bands of rows.
struct InferenceStep: Sendable {
    let nodes: Range<Int>
    /// What the convolution at the start of `nodes` computes besides itself; nil for any other layer.
    var finish: Finish?
    /// The nodes whose outputs the step takes: the first one's input, then what is added.
    let inputs: [Int]
    /// The steps that run by bands; nil for any other.
    private(set) var bands: RowBands?

    init(nodes: Range<Int>, finish: Finish? = nil, inputs: [Int]) { (self.nodes, self.finish, self.inputs) = (nodes, finish, inputs) }

    /// A step that runs others by bands.
    init(_ bands: RowBands, first: InferenceStep, last: InferenceStep) {
        nodes = first.nodes.lowerBound..<last.nodes.upperBound
        inputs = [first.inputs[0]] + last.inputs.dropFirst()
        self.bands = bands
    }

    /// The step itself, or those that it runs by bands.
    var parts: [InferenceStep] { bands?.steps ?? [self] }

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

/// Steps one after the other that run together, a band of rows at a time, so that the maps between them never leave the cache: the
/// expansion, the depthwise convolution and the projection of an inverted residual block.
///
/// Of each map between two steps a buffer holds the rows that the next band needs. Rows that two bands need are moved to its front,
/// not computed again. The bits are those of whole maps.
struct RowBands: Sendable {
    let steps: [InferenceStep]
    /// Rows of the last output at a time.
    private let rows: Int
    /// Where the buffer of each map between the steps begins, and behind the last.
    private let offsets: [Int]

    /// Floats of the buffers of one worker.
    var floats: Int { offsets[offsets.count - 1] }

    /// The most floats of a worker's buffers: half of a second-level cache of 1 MiB.
    static let mostFloats = 131_072
    /// Maps between steps, of one frame, of fewer floats stay in cache anyway.
    private static let fewestFloats = 65_536

    /// Nil where bands would save nothing: a single step, maps between the steps that are small, or one row of each that is too large.
    private init?(_ steps: [InferenceStep], of graph: NetworkGraph) {
        let maps = steps.dropLast().map { graph.shapes[$0.last] }
        guard maps.reduce(0, { $0 + $1.count }) >= RowBands.fewestFloats else { return nil }
        func offsets(_ rows: Int) -> [Int] {
            var (rows, counts) = (rows, [Int]())
            for (step, map) in zip(steps.dropFirst(), maps).reversed() {
                rows = min(map[0], RowBands.window(of: step, graph)?.inputCount(rows) ?? map[0])
                counts.insert((rows * map[1] * map[2] + 15) / 16 * 16, at: 0)
            }
            return counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        }
        let last = steps[steps.count - 1].last
        let fitting = (1...graph.shapes[last][0]).prefix { offsets($0).last ?? 0 <= RowBands.mostFloats }
        guard let rows = fitting.last else { return nil }
        (self.steps, self.rows, self.offsets) = (steps, rows, offsets(rows))
    }

    /// The rows that the convolution of a step sees; nil if the step does not run by rows.
    private static func window(of step: InferenceStep, _ graph: NetworkGraph) -> RowWindow? {
        let first = step.nodes.lowerBound
        guard step.finish?.isPooled == false, let layer = graph.nodes[first].layer as? any FusingLayer else { return nil }
        return layer.rowWindow(graph.inputShape(of: first))
    }

    /// The steps with those joined that run by bands.
    static func join(_ steps: [InferenceStep], of graph: NetworkGraph) -> [InferenceStep] {
        var joined: [InferenceStep] = []
        var run: [InferenceStep] = []
        func end() {
            if let bands = RowBands(run, of: graph), let first = run.first, let last = run.last {
                joined.append(InferenceStep(bands, first: first, last: last))
            } else {
                joined += run
            }
            run = []
        }
        for step in steps {
            let follows = run.last.map { step.inputs[0] == $0.last && graph.consumers[$0.last] == [step.nodes.lowerBound] } ?? true
            if !follows { end() }
            guard let window = window(of: step, graph) else {
                end()
                joined.append(step)
                continue
            }
            run.append(step)
            // Behind a projection maps are narrow; and only the last step has something to add.
            let isProjection = window.count == 1 && run.contains { RowBands.window(of: $0, graph)?.count ?? 1 > 1 }
            if isProjection || step.finish?.isAdding == true { end() }
        }
        end()
        return joined
    }
}

/// A step's layer as `RowBands` runs it.
struct BandedLayer {
    let layer: any FusingLayer
    /// The shape of one input.
    let input: Shape
    let finish: Finish
}

extension RowBands {
    /// Computes the rows `all` of one frame's last output.
    func run(
        _ layers: [BandedLayer], rows all: Range<Int>, _ input: UnsafePointer<Float>, adding: UnsafePointer<Float>?,
        into output: UnsafeMutablePointer<Float>, buffer: UnsafeMutablePointer<Float>, _ context: Context
    ) {
        let windows = layers.compactMap { $0.layer.rowWindow($0.input) }
        let rowFloats = layers.map { $0.input[1] * $0.input[2] }
        // The rows that the buffer of each map holds, and those that it should hold for the band.
        var held = layers.map { _ in 0..<0 }
        var wanted = held
        for start in stride(from: all.lowerBound, to: all.upperBound, by: rows) {
            wanted[layers.count - 1] = start..<min(all.upperBound, start + rows)
            for index in layers.indices.dropFirst().reversed() { wanted[index - 1] = windows[index].input(wanted[index]) }
            for (index, layer) in layers.enumerated() {
                let isLast = index == layers.count - 1
                var new = wanted[index]
                var target = output
                if !isLast {
                    let map = buffer + offsets[index]
                    let floats = rowFloats[index + 1]
                    let kept = held[index].clamped(to: new)
                    if !kept.isEmpty, kept.lowerBound > held[index].lowerBound {
                        memmove(
                            map, map + (kept.lowerBound - held[index].lowerBound) * floats, kept.count * floats * MemoryLayout<Float>.stride
                        )
                    }
                    held[index] = new
                    if !kept.isEmpty { new = kept.upperBound..<new.upperBound }
                    // Where the map's row 0 would be.
                    target = map - held[index].lowerBound * floats
                }
                let source = index == 0 ? input : UnsafePointer(buffer + offsets[index - 1] - held[index - 1].lowerBound * rowFloats[index])
                layer.layer.forward(
                    rows: new, of: layer.input, source, into: target, layer.finish, adding: isLast ? adding : nil, context)
            }
        }
    }
}
