import CKernels
import CReferenceKernels
import Testing
import VidTensor
import VidTestSupport

/// A pooling to test.
struct PoolingCase: Sendable, CustomStringConvertible {
    let geometry: PoolingGeometry

    init(
        _ rows: Int, _ columns: Int, _ channels: Int, pool: (Int, Int) = (2, 2), stride: (Int, Int) = (2, 2),
        _ padding: ConvolutionGeometry.Padding = .valid
    ) {
        geometry = PoolingGeometry(
            rows: rows, columns: columns, channels: channels, pool: .init(pool.0, pool.1), stride: .init(stride.0, stride.1),
            padding: padding)
    }

    var description: String {
        let g = geometry
        return
            "\(g.rows)x\(g.columns)x\(g.channels), pool \(g.pool.rows)x\(g.pool.columns), stride \(g.stride.rows)x\(g.stride.columns), to \(g.outRows)x\(g.outColumns)"
    }

    var shape: vc_pool_shape {
        let g = geometry
        return vc_pool_shape(
            rows: Int32(g.rows), columns: Int32(g.columns), channels: Int32(g.channels), pool_rows: Int32(g.pool.rows),
            pool_columns: Int32(g.pool.columns), stride_rows: Int32(g.stride.rows), stride_columns: Int32(g.stride.columns),
            pad_top: Int32(g.padTop), pad_left: Int32(g.padLeft), out_rows: Int32(g.outRows), out_columns: Int32(g.outColumns))
    }

    private static func around(_ n: Int) -> ConvolutionGeometry.Padding { .zeros(top: n, bottom: n, left: n, right: n) }

    /// ResNet's stem, TensorFlow's `same` (an uneven one too), windows cut on all sides, 2x2 with padding.
    static let padded = [
        PoolingCase(112, 112, 64, pool: (3, 3), around(1)), PoolingCase(9, 8, 24, pool: (3, 3), .same),
        PoolingCase(8, 9, 5, pool: (3, 3), stride: (1, 1), .same), PoolingCase(5, 4, 70, pool: (2, 2), .same),
        PoolingCase(6, 7, 3, pool: (2, 2), around(1)), PoolingCase(3, 3, 16, pool: (5, 5), stride: (1, 2), around(2)),
        PoolingCase(7, 6, 19, pool: (3, 4), stride: (2, 3), .zeros(top: 2, bottom: 0, left: 0, right: 3)),
        PoolingCase(7, 7, 17, pool: (1, 1), stride: (3, 3), .same),
        PoolingCase(109, 100, 64, pool: (3, 3), stride: (3, 3), .zeros(top: 0, bottom: 2, left: 1, right: 1)),
    ]

    /// VGG16's five, then odd maps, overlapping windows, gaps and windows of one element; a large map with gaps, in several blocks.
    static let all = [
        PoolingCase(224, 224, 64), PoolingCase(112, 112, 128), PoolingCase(56, 56, 256), PoolingCase(28, 28, 512), PoolingCase(14, 14, 512),
        PoolingCase(2, 2, 1), PoolingCase(5, 7, 3), PoolingCase(3, 4, 17), PoolingCase(9, 11, 70, pool: (3, 3)),
        PoolingCase(6, 6, 5, pool: (2, 2), stride: (1, 1)), PoolingCase(10, 9, 20, pool: (2, 3), stride: (4, 4)),
        PoolingCase(4, 3, 65, pool: (1, 1), stride: (1, 1)), PoolingCase(7, 5, 16, pool: (7, 5)),
        PoolingCase(103, 90, 70, pool: (2, 3), stride: (4, 4)),
    ]
}

/// Pooling moves numbers, so everything is exact but where gradients or means are added up.
@Suite struct PoolingTests {
    /// Values on a coarse grid, so that many windows have equal maxima.
    private func coarse(_ tensors: inout TestTensors, _ shape: Shape) -> Tensor {
        let tensor = tensors.uniform(shape, -2, 2)
        for i in 0..<tensor.count { tensor.base[i] = tensor.base[i].rounded() }
        return tensor
    }

    @Test(arguments: PoolingCase.all + PoolingCase.padded)
    func maximumAndItsGradientAreTheirTwins(_ test: PoolingCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 1)
        let input = coarse(&tensors, g.inputShape.prepending(2))
        // Below 0, where a padding of zeros would win.
        for i in 0..<g.inputShape.count { input.base[i] -= 5 }
        let dOutput = tensors.uniform(g.outputShape.prepending(2))
        var shape = test.shape
        let workers = Workers(count: 2)
        let output = tensors.nan(dOutput.shape)
        let dInput = tensors.nan(input.shape)
        Pooling.maximum(g, input: input, output: output, workers: workers)
        Pooling.maximumGradient(g, input: input, dOutput: dOutput, dInput: dInput, workers: workers)
        for frame in 0..<2 {
            var expected = [Double](repeating: .nan, count: g.outputShape.count)
            vc_reference_max_pool(&shape, input.base + frame * g.inputShape.count, &expected)
            #expect(output.rows(frame..<frame + 1).array.map(Double.init) == expected)
            var dExpected = [Double](repeating: .nan, count: g.inputShape.count)
            vc_reference_max_pool_gradient(
                &shape, input.base + frame * g.inputShape.count, dOutput.base + frame * g.outputShape.count, &dExpected)
            // An element is in at most nine windows.
            let error = relativeError(dInput.rows(frame..<frame + 1).array, dExpected)
            #expect(error <= 1e-6)
        }
    }

    @Test(arguments: Array(PoolingCase.all.dropFirst(3)) + PoolingCase.padded, [false, true])
    func averageAndItsGradientAreTheirTwins(_ test: PoolingCase, _ countsPadding: Bool) {
        let g = test.geometry
        var tensors = TestTensors(seed: 4)
        let input = tensors.uniform(g.inputShape.prepending(2))
        let dOutput = tensors.uniform(g.outputShape.prepending(2))
        var shape = test.shape
        let (output, dInput) = (tensors.nan(dOutput.shape), tensors.nan(input.shape))
        Pooling.average(g, countsPadding: countsPadding, input: input, output: output, workers: Workers(count: 2))
        Pooling.averageGradient(g, countsPadding: countsPadding, dOutput: dOutput, dInput: dInput, workers: Workers(count: 2))
        for frame in 0..<2 {
            var expected = [Double](repeating: .nan, count: g.outputShape.count)
            var dExpected = [Double](repeating: .nan, count: g.inputShape.count)
            vc_reference_average_pool(
                &shape, countsPadding, input.base + frame * g.inputShape.count, dOutput.base + frame * g.outputShape.count, &expected,
                &dExpected)
            #expect(relativeError(output.rows(frame..<frame + 1).array, expected) <= 2e-6)
            #expect(relativeError(dInput.rows(frame..<frame + 1).array, dExpected) <= 2e-6)
        }
    }

    @Test(arguments: [(0, 2), (1, 1), (2, 4), (3, 3)])
    func maximumTakesNaN(_ at: Int, _ pool: Int) {
        var tensors = TestTensors(seed: 2)
        let g = PoolingGeometry(rows: 4, columns: 4, channels: 1, pool: .init(pool, pool), stride: .init(pool, pool))
        let input = tensors.uniform([1, 4, 4, 1])
        input.base[at] = .nan
        let output = tensors.zeros(g.outputShape.prepending(1))
        Pooling.maximum(g, input: input, output: output, workers: Workers(count: 1))
        #expect(output.array.contains { $0.isNaN } == (at < g.outColumns * pool))
    }

    @Test(arguments: [(7, 7, 512), (1, 1, 3), (3, 5, 17), (14, 10, 130), (112, 112, 8)])
    func globalPoolingIsItsTwin(_ rows: Int, _ columns: Int, _ channels: Int) {
        var tensors = TestTensors(seed: 3)
        let (frames, positions) = (3, rows * columns)
        let input = coarse(&tensors, [frames, rows, columns, channels])
        let dOutput = tensors.uniform([frames, channels])
        let workers = Workers(count: 2)
        let (average, maximum) = (tensors.nan(dOutput.shape), tensors.nan(dOutput.shape))
        let (dAverage, dMaximum) = (tensors.nan(input.shape), tensors.nan(input.shape))
        Pooling.globalAverage(input: input, output: average, workers: workers)
        Pooling.globalMaximum(input: input, output: maximum, workers: workers)
        Pooling.globalAverageGradient(dOutput: dOutput, dInput: dAverage, workers: workers)
        Pooling.globalMaximumGradient(input: input, dOutput: dOutput, dInput: dMaximum, workers: workers)
        for frame in 0..<frames {
            let source = input.base + frame * positions * channels
            var mean = [Double](repeating: .nan, count: channels)
            vc_reference_global_average_pool(source, positions, Int32(channels), &mean)
            var largest = [Double](repeating: .nan, count: channels)
            var first = [Int](repeating: -1, count: channels)
            vc_reference_global_max_pool(source, positions, Int32(channels), &largest, &first)
            let meanError = relativeError(average.rows(frame..<frame + 1).array, mean)
            #expect(meanError <= 1e-5)
            #expect(maximum.rows(frame..<frame + 1).array.map(Double.init) == largest)
            let gradients = (0..<positions).flatMap { position in
                (0..<channels).map { channel in
                    let d = Double(dOutput.base[frame * channels + channel])
                    return (d / Double(positions), first[channel] == position ? d : 0)
                }
            }
            let averageError = relativeError(dAverage.rows(frame..<frame + 1).array, gradients.map(\.0))
            #expect(averageError <= 1e-6)
            #expect(dMaximum.rows(frame..<frame + 1).array.map(Double.init) == gradients.map(\.1))
        }
    }
}
