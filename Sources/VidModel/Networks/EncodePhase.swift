import VidTensor

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
            let place = StepMemory.place(Workspace.wholeLines(graph.shapes[step.last].count), among: live.map(\.place))
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

/// Consecutive steps that process the same number of frames at a time: few where maps are large, so that a layer's output is in
/// cache for the next, and many where filters are larger than maps.
struct EncodePhase: Sendable {
    let steps: [InferenceStep]
    /// Frames at a time.
    let chunk: Int
    let memory: StepMemory
    /// Where the output of each of the phase's nodes is, in floats for one frame; nil: nowhere, or in the output.
    let offsets: [Int?]

    var nodes: Range<Int> { (steps.first?.nodes.lowerBound ?? 0)..<(steps.last?.nodes.upperBound ?? 0) }

    /// The most frames that any phase takes at a time.
    static let mostFrames = 16
    private static let fewestFrames = 2
    /// Bytes of a step's maps that should be in cache.
    private static let cacheBytes = 8 << 20

    private init(_ steps: [InferenceStep], chunk: Int, of graph: NetworkGraph) {
        (self.steps, self.chunk) = (steps, chunk)
        memory = StepMemory(steps, of: graph)
        let first = steps.first?.nodes.lowerBound ?? 0
        var offsets = [Int?](repeating: nil, count: (steps.last?.nodes.upperBound ?? 0) - first)
        for (step, offset) in zip(steps, memory.offsets) { offsets[step.last - first] = offset }
        self.offsets = offsets
    }

    /// The phases of the nodes of `range`, whose ends must be cuts. From one to the next the number of frames grows.
    static func phases(of range: Range<Int>, in graph: NetworkGraph, isFolding: Bool) -> [EncodePhase] {
        let steps = RowBands.join(graph.steps(range, isFolding: isFolding), of: graph)
        // Parts between cuts, from behind, so that each takes at most as many frames as those after it.
        var (most, part): (Int, [InferenceStep]) = (mostFrames, [])
        var parts: [(steps: [InferenceStep], chunk: Int)] = []
        for step in steps.reversed() {
            part.insert(step, at: 0)
            guard graph.isCut[step.nodes.lowerBound] else { continue }
            most = min(most, frames(part, of: graph))
            if let next = parts.last, next.chunk == most {
                parts[parts.count - 1].steps.insert(contentsOf: part, at: 0)
            } else {
                parts.append((part, most))
            }
            part = []
        }
        return parts.reversed().map { EncodePhase($0.steps, chunk: $0.chunk, of: graph) }
    }

    /// Frames at a time for which the largest maps of some steps are in cache, but as many as make the largest filters the smaller part.
    private static func frames(_ steps: [InferenceStep], of graph: NetworkGraph) -> Int {
        var (fitting, needed) = (mostFrames, fewestFrames)
        for step in steps {
            let maps =
                MemoryLayout<Float>.stride * (step.inputs.reduce(0) { $0 + graph.shape($1).count } + graph.shapes[step.last].count)
            let filters = step.nodes.reduce(0) { $0 + graph.nodes[$1].layer.filterBytes(graph.inputShape(of: $1), inputGradient: false) }
            (fitting, needed) = (min(fitting, cacheBytes / maps), max(needed, filters / maps))
        }
        var frames = mostFrames
        while frames / 2 >= max(fitting, needed) { frames /= 2 }
        return frames
    }

    /// Frames that each of several workers takes at a time, so that none waits for the others after each layer; 0 where they rather
    /// divide each layer: where they would hold more frames at once than the chunk, or scratch memory is not a worker's own.
    func framesBesideOthers(workers: Int, _ graph: NetworkGraph) -> Int {
        guard workers > 1, chunk >= workers else { return 0 }
        let isShared = steps.contains { step in
            let scratch = { EncodePhase.scratch(step, graph, workers: $0) }
            return scratch(workers) < workers * scratch(1)
        }
        return isShared ? 0 : chunk / workers
    }

    /// Floats that one worker takes for so many frames.
    func floatsBesideOthers(frames: Int, _ graph: NetworkGraph) -> Int {
        Workspace.wholeLines(memory.floats * frames) + (steps.map { EncodePhase.scratch($0, graph, workers: 1) }.max() ?? 0)
    }

    /// Floats of a step's scratch memory, in whole cache lines.
    private static func scratch(_ step: InferenceStep, _ graph: NetworkGraph, workers: Int) -> Int {
        let bytes = step.nodes.map { graph.nodes[$0].layer.scratchBytes(graph.inputShape(of: $0), workers: workers, gradients: false) }
        return Workspace.wholeLines((bytes.max() ?? 0) / MemoryLayout<Float>.stride) + (step.bands?.floats ?? 0) * workers
    }

    /// Floats for one frame of the two places where the outputs of all phases but the last are kept.
    static func betweenFloats(_ phases: [EncodePhase], _ graph: NetworkGraph) -> [Int] {
        var floats = [0, 0]
        for (index, phase) in phases.dropLast().enumerated() {
            floats[index % 2] = max(floats[index % 2], graph.shapes[phase.nodes.upperBound - 1].count)
        }
        return floats
    }

    /// Bytes that running phases on so many frames takes at most, besides the frames and the output.
    static func bytes(_ phases: [EncodePhase], _ graph: NetworkGraph, frames: Int) -> Int {
        let between = betweenFloats(phases, graph).reduce(0) { $0 + Workspace.wholeLines($1 * min(frames, mostFrames)) }
        let largest = phases.map { Workspace.wholeLines($0.memory.floats * min(frames, $0.chunk)) }.max() ?? 0
        return (between + largest) * MemoryLayout<Float>.stride
    }

    /// Consecutive ranges of `size`, the last of which may be smaller.
    static func chunks(of count: Int, _ size: Int) -> some Sequence<Range<Int>> {
        stride(from: 0, to: count, by: size).lazy.map { $0..<min(count, $0 + size) }
    }
}
