import VidSystem
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
/// A buffer for each map between two steps holds the rows that the next band needs. Rows that two bands need are moved to its front,
/// not computed again. The bits are those of whole maps.
struct RowBands: Sendable {
    let steps: [InferenceStep]
    private let layers: [BandedLayer]
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
    private init?(_ run: [(step: InferenceStep, layer: BandedLayer)], of graph: NetworkGraph) {
        let readers = run.dropFirst().map(\.layer)
        guard let last = run.last?.step, readers.reduce(0, { $0 + $1.input.count }) >= RowBands.fewestFloats else { return nil }
        func offsets(_ rows: Int) -> [Int] {
            var (rows, counts) = (rows, [Int]())
            for reader in readers.reversed() {
                rows = reader.window.inputCount(rows)
                counts.insert(Workspace.wholeLines(rows * reader.rowFloats), at: 0)
            }
            return counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        }
        let fitting = (1...graph.shapes[last.last][0]).prefix { offsets($0).last ?? 0 <= RowBands.mostFloats }
        guard let rows = fitting.last else { return nil }
        (steps, layers, self.rows, self.offsets) = (run.map(\.step), run.map(\.layer), rows, offsets(rows))
    }

    /// The steps with those joined that run by bands.
    static func join(_ steps: [InferenceStep], of graph: NetworkGraph) -> [InferenceStep] {
        var joined: [InferenceStep] = []
        var run: [(step: InferenceStep, layer: BandedLayer)] = []
        func end() {
            if let bands = RowBands(run, of: graph), let first = run.first, let last = run.last {
                joined.append(InferenceStep(bands, first: first.step, last: last.step))
            } else {
                joined += run.map(\.step)
            }
            run = []
        }
        for step in steps {
            let follows =
                run.last.map { step.inputs[0] == $0.step.last && graph.consumers[$0.step.last] == [step.nodes.lowerBound] } ?? true
            if !follows { end() }
            guard let layer = BandedLayer(step, of: graph) else {
                end()
                joined.append(step)
                continue
            }
            run.append((step, layer))
            // Behind a projection maps are narrow; and only the last step has something to add.
            let isProjection = layer.window.count == 1 && run.contains { $0.layer.window.count > 1 }
            if isProjection || layer.finish.isAdding { end() }
        }
        end()
        return joined
    }
}

/// The layer of a step that runs by rows.
private struct BandedLayer: Sendable {
    let layer: any FusingLayer
    /// The shape of one input.
    let input: Shape
    let finish: Finish
    let window: RowWindow

    /// Floats of a row of the input.
    var rowFloats: Int { input[1] * input[2] }

    /// Nil if the step does not run by rows.
    init?(_ step: InferenceStep, of graph: NetworkGraph) {
        let first = step.nodes.lowerBound
        guard let finish = step.finish, !finish.isPooled, let layer = graph.nodes[first].layer as? any FusingLayer,
            let window = layer.rowWindow(graph.inputShape(of: first))
        else { return nil }
        (self.layer, input, self.finish, self.window) = (layer, graph.inputShape(of: first), finish, window)
    }
}

extension RowBands {
    /// Runs the steps on frames. Where there are more workers than frames they share a frame's rows.
    func run(_ input: Tensor, adding: Tensor?, into output: Tensor, _ context: Context) {
        for layer in layers { layer.layer.prepareFilters(layer.input, layer.finish, context) }
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let buffers = context.workspace.take([context.workers.count, floats])
        let (frames, rows) = (input.shape[0], output.shape[1])
        let parts = min(rows, (context.workers.count + frames - 1) / frames)
        context.workers.forEach(frames * parts) { block, worker in
            let (frame, part) = (block / parts, block % parts)
            run(
                rows: rows * part / parts..<rows * (part + 1) / parts, input.rows(frame..<frame + 1).base,
                adding: adding?.rows(frame..<frame + 1).base, into: output.rows(frame..<frame + 1).base,
                buffer: buffers.base + worker * floats, context)
        }
    }

    /// Computes the rows `all` of one frame's last output.
    private func run(
        rows all: Range<Int>, _ input: UnsafePointer<Float>, adding: UnsafePointer<Float>?, into output: UnsafeMutablePointer<Float>,
        buffer: UnsafeMutablePointer<Float>, _ context: Context
    ) {
        // The rows that the buffer of each map holds, and those that it should hold for the band.
        var held = layers.map { _ in 0..<0 }
        var wanted = held
        for start in stride(from: all.lowerBound, to: all.upperBound, by: rows) {
            wanted[layers.count - 1] = start..<min(all.upperBound, start + rows)
            for index in layers.indices.dropFirst().reversed() { wanted[index - 1] = layers[index].window.input(wanted[index]) }
            for (index, layer) in layers.enumerated() {
                let isLast = index == layers.count - 1
                var new = wanted[index]
                var target = output
                if !isLast {
                    let map = buffer + offsets[index]
                    let floats = layers[index + 1].rowFloats
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
                let source = index == 0 ? input : UnsafePointer(buffer + offsets[index - 1] - held[index - 1].lowerBound * layer.rowFloats)
                layer.layer.forward(
                    rows: new, of: layer.input, source, into: target, layer.finish, adding: isLast ? adding : nil, context)
            }
        }
    }
}
