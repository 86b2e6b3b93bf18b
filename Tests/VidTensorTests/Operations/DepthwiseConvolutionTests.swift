import CKernels
import CReferenceKernels
import Testing
import VidTensor
import VidTestSupport

/// Depthwise convolutions against their naive twins: sums of at most 49 products of numbers of order one, gradients of the
/// kernel over as many positions as the map has.
@Suite struct DepthwiseConvolutionTests {
    private static func depthwise(
        _ name: String, _ rows: Int, _ columns: Int, _ channels: Int, kernel: (Int, Int), stride: (Int, Int) = (1, 1),
        _ padding: ConvolutionGeometry.Padding = .same
    ) -> ConvolutionCase {
        .init(
            name,
            .init(
                rows: rows, columns: columns, channels: channels, filters: channels, kernel: kernel, stride: stride, padding: padding,
                groups: channels))
    }

    private static func around(_ n: Int) -> ConvolutionGeometry.Padding { .zeros(top: n, bottom: n, left: n, right: n) }

    /// Layers of MobileNet and EfficientNet, then odd maps and channels, other kernels, uneven padding and strides.
    static let cases: [ConvolutionCase] = [
        depthwise("MobileNet", 112, 112, 32, kernel: (3, 3)),
        depthwise("MobileNet stride 2", 112, 112, 96, kernel: (3, 3), stride: (2, 2), around(1)),
        depthwise("MobileNet, 144", 56, 56, 144, kernel: (3, 3), stride: (2, 2)),
        depthwise("EfficientNet", 28, 28, 240, kernel: (5, 5)),
        depthwise("EfficientNet stride 2", 28, 28, 240, kernel: (5, 5), stride: (2, 2), around(2)),
        depthwise("EfficientNet, late", 7, 7, 1152, kernel: (5, 5)),
        depthwise("24 channels", 9, 11, 24, kernel: (3, 3)),
        depthwise("one column over", 6, 5, 17, kernel: (3, 3), around(1)),
        depthwise("few channels", 9, 10, 5, kernel: (5, 5), stride: (2, 2)),
        depthwise("one channel", 5, 6, 1, kernel: (3, 3)),
        depthwise("narrow", 9, 3, 16, kernel: (3, 3)),
        depthwise("narrow, 5x5", 3, 6, 33, kernel: (5, 5)),
        depthwise("kernel over the map", 2, 4, 20, kernel: (5, 5)),
        depthwise("uneven", 8, 9, 18, kernel: (3, 3), .zeros(top: 2, bottom: 0, left: 0, right: 3)),
        depthwise("uneven stride 2", 8, 9, 18, kernel: (5, 5), stride: (2, 2), .zeros(top: 0, bottom: 4, left: 3, right: 1)),
        depthwise("valid", 9, 8, 19, kernel: (3, 3), .valid),
        depthwise("valid, rows unseen", 10, 8, 19, kernel: (3, 3), stride: (2, 2), .valid),
        depthwise("7x7", 14, 13, 40, kernel: (7, 7)),
        depthwise("stride 3", 11, 13, 21, kernel: (3, 3), stride: (3, 3)),
        depthwise("gaps", 11, 13, 21, kernel: (2, 2), stride: (4, 3), .valid),
        depthwise("3x5 stride 1x2", 9, 12, 20, kernel: (3, 5), stride: (1, 2)),
    ]

    @Test(arguments: cases)
    func agreesWithTheTwin(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 31)
        let input = tensors.uniform(g.inputShape.prepending(2))
        let dOutput = tensors.uniform(g.outputShape.prepending(2))
        let kernel = tensors.uniform([g.kernelRows, g.kernelColumns, g.channels])
        let bias = tensors.uniform([g.channels])
        var shape = test.shape
        let workers = Workers(count: 2)
        for (bias, kind) in [(bias, .silu), (nil, .linear), (bias, .relu6)] as [(Tensor?, ActivationKind)] {
            let output = tensors.nan(dOutput.shape)
            DepthwiseConvolution.forward(g, input: input, kernel: kernel, bias: bias, activation: kind, output: output, workers: workers)
            for frame in 0..<2 {
                var expected = [Double](repeating: .nan, count: g.outputShape.count)
                vc_reference_depthwise(
                    &shape, input.base + frame * g.inputShape.count, kernel.base, bias?.base, kind.code, &expected)
                #expect(relativeError(output.rows(frame..<frame + 1).array, expected) <= 2e-6, "\(kind)")
            }
        }
        let dInput = tensors.nan(input.shape)
        let (dKernel, dBias) = (tensors.nan(kernel.shape), tensors.nan([g.channels]))
        dKernel.fill(0.5)
        dBias.fill(-0.5)
        DepthwiseConvolution.inputGradient(
            g, dOutput: dOutput, kernel: kernel, dInput: dInput, workers: workers, workspace: garbageWorkspace())
        DepthwiseConvolution.filterGradient(
            g, input: input, dOutput: dOutput, dKernel: dKernel, dBias: dBias, workers: workers, workspace: garbageWorkspace())
        var dKernelExpected = [Double](repeating: 0.5, count: kernel.count)
        for frame in 0..<2 {
            var expected = [Double](repeating: .nan, count: g.inputShape.count)
            vc_reference_depthwise_gradients(
                &shape, input.base + frame * g.inputShape.count, kernel.base, dOutput.base + frame * g.outputShape.count, &expected,
                &dKernelExpected)
            #expect(relativeError(dInput.rows(frame..<frame + 1).array, expected) <= 2e-6)
        }
        #expect(relativeError(dKernel.array, dKernelExpected) <= 1e-5)
        var dBiasExpected = [Double](repeating: .nan, count: g.channels)
        vc_reference_sum_positions(dOutput.base, 2 * g.positions, Int32(g.channels), &dBiasExpected)
        #expect(relativeError(dBias.array, dBiasExpected.map { $0 - 0.5 }) <= 1e-5)
    }

    @Test(arguments: [cases[4], cases[8], cases[17], depthwise("sections", 44, 60, 24, kernel: (3, 3))])
    func bitsDependOnNeitherThreadsNorFrames(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 32)
        let frames = Convolution.frameGroup + 3
        let input = tensors.uniform(g.inputShape.prepending(frames))
        let dOutput = tensors.uniform(g.outputShape.prepending(frames))
        let kernel = tensors.uniform([g.kernelRows, g.kernelColumns, g.channels])
        let bias = tensors.uniform([g.channels])
        var first: [[UInt32]]?
        for (threads, step) in [(1, frames), (2, frames), (3, Convolution.frameGroup)] {
            let workers = Workers(count: threads)
            let workspace = garbageWorkspace()
            let (output, dInput) = (tensors.nan(dOutput.shape), tensors.nan(input.shape))
            let (dKernel, dBias) = (tensors.zeros(kernel.shape), tensors.zeros([g.channels]))
            for start in stride(from: 0, to: frames, by: step) {
                let range = start..<min(frames, start + step)
                DepthwiseConvolution.forward(
                    g, input: input.rows(range), kernel: kernel, bias: bias, activation: .silu, output: output.rows(range),
                    workers: workers)
                DepthwiseConvolution.inputGradient(
                    g, dOutput: dOutput.rows(range), kernel: kernel, dInput: dInput.rows(range), workers: workers, workspace: workspace)
                DepthwiseConvolution.filterGradient(
                    g, input: input.rows(range), dOutput: dOutput.rows(range), dKernel: dKernel, dBias: dBias, workers: workers,
                    workspace: workspace)
            }
            let found = [output, dInput, dKernel, dBias].map(bits)
            #expect(found == first ?? found, "\(threads) threads, \(step) frames a call")
            first = first ?? found
        }
    }
}
