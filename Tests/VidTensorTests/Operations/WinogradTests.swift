import CKernels
import CReferenceKernels
import Testing
import VidTensor
import VidTestSupport

/// The parts that only the Winograd convolution has: its choice, its transforms, fused pooling, transformed filters.
@Suite struct WinogradTests {
    /// Maps that end within a tile, and channels that fill neither vectors nor panels.
    private static let ragged: [ConvolutionCase] = [
        .init("2x2", .init(rows: 2, columns: 2, channels: 16, filters: 16)),
        .init("5x9", .init(rows: 5, columns: 9, channels: 1, filters: 33)),
        .init("6x7", .init(rows: 6, columns: 7, channels: 31, filters: 80)),
        .init("9x4", .init(rows: 9, columns: 4, channels: 70, filters: 130)),
        .init("1x11", .init(rows: 1, columns: 11, channels: 20, filters: 64)),
        .init("8x8", .init(rows: 8, columns: 8, channels: 200, filters: 200)),
        .init("141x138", .init(rows: 141, columns: 138, channels: 5, filters: 17)),
    ]

    @Test func theFasterAlgorithmIsChosenByShape() {
        func choice(_ rows: Int, _ channels: Int, _ filters: Int, stride: Int = 1, kernel: Int = 3) -> [Convolution.Algorithm] {
            let g = ConvolutionGeometry(
                rows: rows, columns: rows, channels: channels, filters: filters, kernel: (kernel, kernel), stride: (stride, stride))
            return [Convolution.algorithm(for: g), Convolution.filterGradientAlgorithm(for: g)]
        }
        #expect(
            ConvolutionShape.vgg16.allSatisfy { choice($0.rows, $0.channels, $0.filters)[0] == ($0.channels == 3 ? .im2col : .winograd) })
        #expect(choice(14, 512, 512) == [.winograd, .winograd])
        #expect(choice(4, 512, 512) == [.winograd, .im2col])
        #expect(choice(2, 128, 128) == [.im2col, .im2col])
        #expect(choice(56, 64, 64, stride: 2) == [.im2col, .im2col])
        #expect(choice(56, 64, 64, kernel: 5) == [.im2col, .im2col])
        let valid = ConvolutionGeometry(rows: 56, columns: 56, channels: 64, filters: 64, padding: .valid)
        #expect(Convolution.algorithm(for: valid, preferring: .winograd) == .im2col)
        let first = ConvolutionGeometry(rows: 56, columns: 56, channels: 3, filters: 64)
        #expect(Convolution.algorithm(for: first, preferring: .winograd) == .winograd)
        let later = ConvolutionGeometry(rows: 56, columns: 56, channels: 64, filters: 64)
        #expect(Convolution.algorithm(for: later, preferring: .im2col) == .im2col)
    }

    /// As in `ConvolutionTests`, over more shapes: forward and both gradients.
    @Test(arguments: ragged)
    func raggedMapsAreTheirTwins(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 1)
        let (input, dOutput) = (tensors.uniform(g.inputShape.prepending(1)), tensors.uniform(g.outputShape.prepending(1)))
        let (kernel, bias) = (tensors.uniform(g.kernelShape), tensors.uniform([g.filters]))
        let (output, dInput) = (tensors.nan(dOutput.shape), tensors.nan(input.shape))
        let (dKernel, dBias) = (tensors.zeros(g.kernelShape), tensors.zeros([g.filters]))
        let (workers, workspace) = (Workers(count: 2), garbageWorkspace())
        Convolution.forward(
            g, .winograd, input: input, kernel: kernel, bias: bias, activation: .linear, output: output, workers: workers,
            workspace: workspace)
        Convolution.inputGradient(
            g, .winograd, dOutput: dOutput, kernel: kernel, dInput: dInput, workers: workers, workspace: workspace)
        Convolution.filterGradient(
            g, .winograd, input: input, dOutput: dOutput, dKernel: dKernel, dBias: dBias, workers: workers, workspace: workspace)
        var shape = test.shape
        var expected = [Double](repeating: .nan, count: output.count)
        var dInputExpected = [Double](repeating: .nan, count: input.count)
        var dKernelExpected = [Double](repeating: 0, count: kernel.count)
        var dBiasExpected = [Double](repeating: 0, count: g.filters)
        let filters = Int32(g.filters)
        vc_reference_convolution(&shape, filters, input.base, kernel.base, bias.base, false, &expected)
        vc_reference_convolution_input_gradient(&shape, filters, dOutput.base, kernel.base, &dInputExpected)
        vc_reference_convolution_parameter_gradients(&shape, filters, input.base, dOutput.base, &dKernelExpected, &dBiasExpected)
        for (found, expected) in [(output, expected), (dInput, dInputExpected), (dKernel, dKernelExpected), (dBias, dBiasExpected)] {
            let error = relativeError(found.array, expected)
            #expect(error <= 1e-5, "\(found.shape)")
        }
    }

    /// Pooling in the output transform has the bits of pooling afterwards, maps of odd extents included.
    @Test(arguments: ragged + [.init("21x18", .init(rows: 21, columns: 18, channels: 40, filters: 96))])
    func fusedPoolingIsPooling(_ test: ConvolutionCase) {
        let g = test.geometry
        guard g.rows > 1, g.columns > 1 else { return }
        var tensors = TestTensors(seed: 2)
        let input = tensors.uniform(g.inputShape.prepending(3))
        let (kernel, bias) = (tensors.uniform(g.kernelShape), tensors.uniform([g.filters]))
        let (workers, workspace) = (Workers(count: 2), garbageWorkspace())
        let pool = PoolingGeometry(rows: g.rows, columns: g.columns, channels: g.filters)
        for relu in [false, true] {
            let output = tensors.nan(g.outputShape.prepending(3))
            let (expected, found) = (tensors.nan(pool.outputShape.prepending(3)), tensors.nan(pool.outputShape.prepending(3)))
            Convolution.forward(
                g, .winograd, input: input, kernel: kernel, bias: bias, activation: relu ? .relu : .linear, output: output,
                workers: workers, workspace: workspace)
            Pooling.maximum(pool, input: output, output: expected, workers: workers)
            Convolution.forward(
                g, .winograd, input: input, kernel: kernel, bias: bias, activation: relu ? .relu : .linear, isPooled: true, output: found,
                workers: workers,
                workspace: workspace)
            #expect(bits(found) == bits(expected), "relu \(relu)")
            let (both, unpooled) = (tensors.nan(expected.shape), tensors.nan(output.shape))
            Convolution.forward(
                g, .winograd, input: input, kernel: kernel, bias: bias, activation: relu ? .relu : .linear, isPooled: true,
                unpooled: unpooled, output: both, workers: workers, workspace: workspace)
            #expect(bits(both) == bits(expected) && bits(unpooled) == bits(output), "relu \(relu), both maps")
        }
    }

    /// A NaN shows in every output that sees it, also through ReLU and pooling.
    @Test func notANumberStays() {
        let g = ConvolutionGeometry(rows: 8, columns: 8, channels: 16, filters: 16)
        var tensors = TestTensors(seed: 3)
        let input = tensors.uniform(g.inputShape.prepending(1))
        input.base[(3 * 8 + 3) * 16 + 5] = .nan
        let (kernel, bias) = (tensors.uniform(g.kernelShape), tensors.uniform([16]))
        let output = tensors.zeros(g.outputShape.prepending(1))
        let pooled = tensors.zeros([1, 4, 4, 16])
        for (isPooled, output) in [(false, output), (true, pooled)] {
            Convolution.forward(
                g, .winograd, input: input, kernel: kernel, bias: bias, activation: .relu, isPooled: isPooled, output: output,
                workers: Workers(count: 1), workspace: garbageWorkspace())
        }
        for row in 2...4 { for column in 2...4 { #expect(output.base[(row * 8 + column) * 16 + 7].isNaN) } }
        for row in 1...2 { for column in 1...2 { #expect(pooled.base[(row * 4 + column) * 16 + 7].isNaN) } }
    }

    /// Filters transformed beforehand give the bits of those transformed in the call, and `update` transforms them again.
    @Test func filtersAreTransformedOnDemand() throws {
        let g = ConvolutionGeometry(rows: 9, columns: 10, channels: 35, filters: 70)
        var tensors = TestTensors(seed: 4)
        let (input, dOutput) = (tensors.uniform(g.inputShape.prepending(2)), tensors.uniform(g.outputShape.prepending(2)))
        let bias = tensors.uniform([g.filters])
        let (workers, workspace) = (Workers(count: 3), garbageWorkspace())
        let forward = try WinogradFilters(.forward, kernelShape: g.kernelShape)
        let backward = try WinogradFilters(.inputGradient, kernelShape: g.kernelShape)
        #expect(forward.bytes == 4 * 36 * (35 * 80 + 16) && backward.bytes == 4 * 36 * (70 * 48 + 16))
        for _ in 0..<2 {
            let kernel = tensors.uniform(g.kernelShape)
            forward.update(kernel, workers: workers, workspace: workspace)
            backward.update(kernel, workers: workers, workspace: workspace)
            var outputs: [[UInt32]] = []
            for (forward, backward) in [(nil, nil), (.winograd(forward), .winograd(backward))] as [(PreparedFilters?, PreparedFilters?)] {
                let (output, dInput) = (tensors.nan(dOutput.shape), tensors.nan(input.shape))
                Convolution.forward(
                    g, .winograd, input: input, kernel: kernel, filters: forward, bias: bias, activation: .relu, output: output,
                    workers: workers,
                    workspace: workspace)
                Convolution.inputGradient(
                    g, .winograd, dOutput: dOutput, kernel: kernel, filters: backward, dInput: dInput, workers: workers,
                    workspace: workspace)
                outputs.append(bits(output) + bits(dInput))
            }
            #expect(outputs[0] == outputs[1])
        }
    }
}
