import Testing
import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

/// Steps that run by bands of rows.
@Suite struct RowBandsTests {
    private static let (rows, columns) = (61, 47)

    private static func block(kernel: MapExtent, strides: MapExtent, padding: MapPadding) -> [CNNLayer] {
        [
            .convolution(.init(filters: 40, kernel: 1)), .activation(.init(.relu6)),
            .depthwiseConvolution(.init(kernel: kernel, strides: strides, padding: padding)), .activation(.init(.silu)),
            .convolution(.init(filters: 8, kernel: 1)),
        ]
    }

    private func network(_ layers: [CNNLayer], threads: Int) throws -> (encoder: FrameEncoder, context: Context) {
        var layout = ParameterLayout()
        let input: Shape = [Self.rows, Self.columns, 3]
        let encoder = try FrameEncoder(.layers(layers), input: input, trainable: .all, layout: &layout)
        let context = try makeContext(layout, threads: threads)
        spreadNormalizations(context)
        return (encoder, context)
    }

    /// The bits are those of the layers one by one, whether threads have frames of their own or share the rows of one; the map
    /// between the layers is never whole in memory.
    @Test(
        arguments: [(3, 1), (3, 2), (5, 1), (5, 2), (4, 3)] as [(MapExtent, MapExtent)], [MapPadding.same, .symmetric, .valid])
    func bandsAreWholeMaps(_ size: (kernel: MapExtent, strides: MapExtent), _ padding: MapPadding) throws {
        let layers = Self.block(kernel: size.kernel, strides: size.strides, padding: padding)
        var tensors = TestTensors(seed: 31)
        let frames = tensors.uniform([3, Self.rows, Self.columns, 3])
        for threads in [1, 2, 5] {
            let (encoder, context) = try network(layers, threads: threads)
            let single = encoder.forward(frames: frames, saving: ActivationPlan(encoder, frames: 3, limit: .max), context).features
            #expect(features(encoder, frames, context).map(\.bitPattern) == bits(single), "\(threads) threads")
            #expect(
                features(encoder, frames.rows(2..<3), context).map(\.bitPattern) == bits(single.rows(2..<3)),
                "one frame, \(threads) threads")
            #expect(encoder.encodeBytes(frames: 1) < Self.rows * Self.columns * 40 * MemoryLayout<Float>.stride)
        }
    }

    /// A sum at the end of a run is added band by band. A map with two readers ends a run, and so does a sum, which belongs to the step
    /// before the next run.
    @Test func sumsAndGates() throws {
        let inverted: [CNNLayer] = [
            .convolution(.init(filters: 40, kernel: 1, usesBias: false)), .batchNormalization(.init(activation: .relu6)),
            .depthwiseConvolution(.init(kernel: 3, usesBias: false)), .batchNormalization(.init(activation: .relu6)),
        ]
        let projection: [CNNLayer] = [.convolution(.init(filters: 3, kernel: 1, usesBias: false)), .batchNormalization(.init())]
        let layers: [CNNLayer] =
            [
                .residual(.init("plain", inverted + projection)),
                .residual(.init("gated", inverted + [.squeezeExcite(.init(filters: 4))] + projection)),
            ] + inverted + projection
        var tensors = TestTensors(seed: 32)
        let frames = tensors.uniform([2, Self.rows, Self.columns, 3])
        var found: [[Float]] = []
        for threads in [1, 2, 5] {
            let (encoder, context) = try network(layers, threads: threads)
            found.append(features(encoder, frames, context))
            let single = encoder.forward(frames: frames, saving: ActivationPlan(encoder, frames: 2, limit: .max), context).features
            // Some ten layers, each with a few roundings.
            #expect(relativeError(found[0], single.array) <= 1e-5)
        }
        let bits = found.map { $0.map(\.bitPattern) }
        #expect(bits[1] == bits[0] && bits[2] == bits[0])
    }
}
