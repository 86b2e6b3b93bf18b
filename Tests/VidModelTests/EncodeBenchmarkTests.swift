import Testing
import VidConfig
import VidModel
import VidTensor

@Suite struct EncodeBenchmarkTests {
    @Test func everyLayerIsTimed() throws {
        var layout = ParameterLayout()
        var configuration = CNNConfiguration()
        configuration.architecture = .blocks([[8], [16], [16]])
        var input = InputConfiguration()
        (input.rows, input.columns) = (32, 40)
        let encoder = try FrameEncoder(configuration, input: input, layout: &layout)
        let context = try makeContext(layout)
        let gemm = try GEMMBenchmark.run(workers: context.workers, size: 64, seconds: 0.01)
        let result = try EncodeBenchmark.run(encoder, frames: 5, byLayer: true, context, seconds: 0.01)
        #expect(result.frames == 5 && result.threads == 2)
        #expect(result.millisecondsPerFrame > 0 && result.millisecondsPerFrame.isFinite)
        #expect(result.layers.map(\.name) == encoder.layers.map(\.name))
        #expect(result.layers.allSatisfy { $0.milliseconds.isFinite && ($0.milliseconds > 0) == ($0.algorithm != "fused") })
        #expect(result.layers.map(\.algorithm) == ["im2col", nil, "winograd", "fused", "winograd", "fused", nil])
        // Two operations for each of 5 frames x positions x taps x filters.
        let expected = 2 * 5 * Double(32 * 40 * 27 * 8 + 16 * 20 * 72 * 16 + 8 * 10 * 144 * 16) / 1e9
        #expect(abs(result.gigaflopPerFrame * 5 - expected) <= 1e-12)
        // The first layer as it is, the others by 36 products for each of 4 x 5 and 2 x 3 tiles.
        let products = 2 * Double(32 * 40 * 27 * 8 + 36 * 4 * 5 * 8 * 16 + 36 * 2 * 3 * 16 * 16)
        #expect(abs(result.productGigaflopPerFrame * 1e9 - products) <= 1e-9 * products)
        #expect(abs(result.boundMillisecondsPerFrame(gemm) * gemm.allThreads * 1e6 - products) <= 1e-9 * products)
        let whole = try EncodeBenchmark.run(encoder, frames: 5, byLayer: false, context, seconds: 0.01)
        #expect(whole.layers.isEmpty && whole.gigaflopPerFrame == result.gigaflopPerFrame)
    }
}
