import VidConfig
import VidSystem
import VidTensor

/// The speed at which a CNN encodes frames, as a whole and layer by layer.
package struct EncodeBenchmark: Sendable {
    /// One layer's time over all frames.
    package struct LayerTime: Sendable, Equatable {
        package let name: String
        /// For all frames; 0 if fused.
        package let milliseconds: Double
        /// For all frames, in 10^9 multiplications and additions of the plain convolution; 0 for poolings.
        package let gigaflop: Double
        /// "fused" for a layer that the convolution before it computes, whose time includes it; nil for others without a choice.
        package let algorithm: String?

        package var gigaflopsPerSecond: Double { milliseconds > 0 ? gigaflop / milliseconds * 1e3 : 0 }
    }

    package let frames: Int
    package let threads: Int
    /// The time of the whole encoding as `train` and `predict` run it.
    package let millisecondsPerFrame: Double
    /// Empty if they were not measured.
    package let layers: [LayerTime]
    /// All layers' 10^9 operations for one frame: of the plain convolutions, and of the products that their algorithms compute.
    package let gigaflopPerFrame, productGigaflopPerFrame: Double

    /// The time that the matrix products of a frame would take at the speed of the GEMM benchmark, all threads together.
    package func boundMillisecondsPerFrame(_ gemm: GEMMBenchmark) -> Double { productGigaflopPerFrame / gemm.allThreads * 1e3 }

    /// Encodes `count` random frames of the encoder's size with the context's parameters. Both for the whole and for each layer
    /// the fastest round counts, of as many as fit in `seconds` (at least three).
    ///
    /// - Parameter byLayer: whether each layer is measured by itself, too.
    /// - Throws: `.badData` if it doesn't fit into memory.
    package static func run(
        _ encoder: FrameEncoder, frames count: Int, byLayer: Bool, _ context: Context, seconds: Double = 2
    ) throws -> EncodeBenchmark {
        precondition(count > 0 && seconds > 0, "\(count) frames for \(seconds) s")
        let float = MemoryLayout<Float>.stride
        let data = Size.product(count, encoder.inputShape.count + encoder.outputShape.count, float)
        // The layers by themselves run without `encode`'s two buffers.
        let steps = byLayer ? encoder.predictionSteps : []
        let layer = steps.map { step in
            min(count, encoder.encodeChunk(step.nodes.lowerBound))
                * (step.inputs.reduce(0) { $0 + encoder.graph.shape($1).count + 16 } + encoder.shapes[step.last].count + 16)
        }
        let workspace =
            max(encoder.encodeBytes(frames: count), Size.product(layer.max() ?? 0, float))
            + encoder.scratchBytes(workers: context.workers.count, gradients: false)
        let model = encoder.filterBytes(gradients: false) + context.parameters.values.count * float
        try MemoryBudget().check(
            Double(data + workspace + model), "encoding \(count) frames of \(encoder.inputShape)", remedy: "Use fewer or smaller frames.")
        try context.workspace.reserve(bytes: workspace + 1 << 16)
        try encoder.reserveFilters(gradients: false, context)
        let frames = try Buffer(allocating: count * encoder.inputShape.count)
        let features = try Buffer(allocating: count * encoder.outputShape.count)
        fill(frames.base, frames.count, -128, 128)
        let whole = GEMMBenchmark.fastest(seconds) {
            encoder.encode(
                frames: frames.tensor(encoder.inputShape.prepending(count)),
                into: features.tensor(encoder.outputShape.prepending(count)), context)
        }
        let layers = steps.flatMap {
            time(encoder, $0, frames: count, context, seconds: min(seconds / 10, 4 * seconds / Double(steps.count)))
        }
        let all = encoder.layers.indices
        return EncodeBenchmark(
            frames: count, threads: context.workers.count, millisecondsPerFrame: whole * 1e3 / Double(count), layers: layers,
            gigaflopPerFrame: all.reduce(0) { $0 + encoder.layers[$1].flops(encoder.inputShape(of: $1)) } / 1e9,
            productGigaflopPerFrame: all.reduce(0) { $0 + encoder.layers[$1].productFlops(encoder.inputShape(of: $1)) } / 1e9)
    }

    /// The times of a step's layers by themselves, on a chunk of frames as `encode` passes them, scaled to all frames: the first layer
    /// has the time of all.
    private static func time(
        _ encoder: FrameEncoder, _ step: InferenceStep, frames: Int, _ context: Context, seconds: Double
    ) -> [LayerTime] {
        let first = step.nodes.lowerBound
        let chunk = min(frames, encoder.encodeChunk(first))
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let inputs = step.inputs.map { context.workspace.take(encoder.graph.shape($0).prepending(chunk)) }
        let output = context.workspace.take(encoder.shapes[step.last].prepending(chunk))
        for input in inputs { fill(input.base, input.count, 0, 1) }
        let best = GEMMBenchmark.fastest(seconds) {
            encoder.perform(step, { node in inputs[step.inputs.firstIndex(of: node) ?? 0] }, into: output, context)
        }
        return step.nodes.map { index in
            let (layer, input) = (encoder.graph.nodes[index].layer, encoder.inputShape(of: index))
            return LayerTime(
                name: layer.name, milliseconds: index == first ? best * 1e3 * Double(frames) / Double(chunk) : 0,
                gigaflop: layer.flops(input) * Double(frames) / 1e9, algorithm: index == first ? layer.algorithmName(input) : "fused")
        }
    }

    private static func fill(_ values: UnsafeMutablePointer<Float>, _ count: Int, _ low: Float, _ high: Float) {
        var random = RandomGenerator(seed: 1)
        for i in 0..<count { values[i] = random.uniform(low, high) }
    }
}
