import Synchronization
import VidConfig
import VidModel
import VidTensor

/// How long this machine takes to run networks on a frame. Each network is measured once at each size.
package final class EncodingSpeed: Sendable {
    /// A network at a size of its frames.
    package struct Measured: Hashable, Sendable {
        package let network: NamedArchitecture
        package let rows: Int
        package let columns: Int
    }

    private let measure: @Sendable (Measured) -> Double?
    private let known = Mutex<[Measured: Double]>([:])

    /// - Parameter measure: seconds per frame; nil if it cannot be measured.
    package init(_ measure: @escaping @Sendable (Measured) -> Double?) { self.measure = measure }

    /// Measures on `workers`.
    package convenience init(workers: Workers) { self.init { try? EncodingSpeed.run($0, workers) } }

    /// Seconds for a frame of three channels; nil if the network does not fit the size or the machine's memory.
    package func secondsPerFrame(_ network: NamedArchitecture, rows: Int, columns: Int) -> Double? {
        let key = Measured(network: network, rows: rows, columns: columns)
        if let known = known.withLock({ $0[key] }) { return known }
        let seconds = measure(key)
        known.withLock { $0[key] = seconds }
        return seconds
    }

    /// The frames of a measurement, after one to warm up.
    private static let frames = 4

    private static func run(_ measured: Measured, _ workers: Workers) throws -> Double {
        let shape: Shape = [measured.rows, measured.columns, 3]
        var layout = ParameterLayout()
        let encoder = try FrameEncoder(.named(measured.network), input: shape, trainable: .none, layout: &layout)
        let context = Context(parameters: try ParameterStore(layout), workers: workers, random: RandomGenerator(seed: 0))
        try context.workspace.reserve(
            bytes: encoder.encodeBytes(frames: frames) + encoder.scratchBytes(workers: workers.count, gradients: false) + 1 << 16)
        try encoder.reserveFilters(gradients: false, context)
        let input = try Buffer(allocating: frames * shape.count)
        let output = try Buffer(allocating: frames * encoder.outputShape.count)
        for place in 0..<input.count { input.base[place] = Float(place % 255) - 127 }
        func encode(_ count: Int) {
            encoder.encode(
                frames: input.tensor(shape.prepending(count)), into: output.tensor(encoder.outputShape.prepending(count)), context)
        }
        encode(1)
        return ContinuousClock().measure { encode(frames) } / .seconds(frames)
    }
}
