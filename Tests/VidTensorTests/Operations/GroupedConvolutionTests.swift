import CKernels
import CReferenceKernels
import Testing
import VidTensor
import VidTestSupport

/// Convolutions in groups of channels against the twin of the whole convolution, whose kernel is 0 between groups; and what
/// follows a convolution: an activation, a map that is added.
@Suite struct GroupedConvolutionTests {
    /// ResNeXt's 3x3 layers (32 groups of 4 channels), a stride of 2, 1x1 in groups, one channel a group, valid padding, and a
    /// kernel so large that its gradient is computed by panels.
    static let cases: [ConvolutionCase] = [
        .init("ResNeXt", .init(rows: 14, columns: 13, channels: 128, filters: 128, groups: 32)),
        .init("stride 2", .init(rows: 15, columns: 14, channels: 24, filters: 36, stride: (2, 2), groups: 3)),
        .init("1x1", .init(rows: 9, columns: 7, channels: 20, filters: 30, kernel: (1, 1), groups: 5)),
        .init("1x1 stride 2", .init(rows: 9, columns: 7, channels: 20, filters: 30, kernel: (1, 1), stride: (2, 2), groups: 5)),
        .init("depthwise", .init(rows: 8, columns: 9, channels: 17, filters: 17, kernel: (5, 3), groups: 17)),
        .init("valid", .init(rows: 8, columns: 9, channels: 6, filters: 4, padding: .valid, groups: 2)),
        .init(
            "zeros", .init(rows: 8, columns: 9, channels: 6, filters: 4, padding: .zeros(top: 2, bottom: 1, left: 0, right: 2), groups: 2)),
        .init("panels", .init(rows: 6, columns: 5, channels: 256, filters: 320, groups: 2)),
    ]

    /// The kernel of the whole convolution: (rows, columns, C, K), 0 between groups.
    private func whole(_ g: ConvolutionGeometry, _ kernel: Tensor, _ tensors: inout TestTensors) -> Tensor {
        let whole = tensors.zeros([g.kernelRows, g.kernelColumns, g.channels, g.filters])
        forEachElement(g) { whole.base[$1] = kernel.base[$0] }
        return whole
    }

    /// Calls `body` with each element of the grouped kernel and its place in the whole one.
    private func forEachElement(_ g: ConvolutionGeometry, _ body: (_ grouped: Int, _ whole: Int) -> Void) {
        for tap in 0..<g.kernelRows * g.kernelColumns {
            for channel in 0..<g.groupChannels {
                for filter in 0..<g.filters {
                    let source = filter / g.groupFilters * g.groupChannels + channel
                    body((tap * g.groupChannels + channel) * g.filters + filter, (tap * g.channels + source) * g.filters + filter)
                }
            }
        }
    }

    @Test(arguments: cases)
    func agreesWithTheWholeConvolution(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 21)
        let input = tensors.uniform(g.inputShape.prepending(2))
        let dOutput = tensors.uniform(g.outputShape.prepending(2))
        let kernel = tensors.uniform(g.kernelShape)
        let dense = whole(g, kernel, &tensors)
        let bias = tensors.uniform([g.filters])
        var shape = test.shape
        let (output, dInput) = (tensors.nan(dOutput.shape), tensors.nan(input.shape))
        let (dKernel, dBias) = (tensors.zeros(g.kernelShape), tensors.zeros([g.filters]))
        let workers = Workers(count: 2)
        let workspace = garbageWorkspace()
        Convolution.forward(g, input: input, kernel: kernel, bias: bias, output: output, workers: workers, workspace: workspace)
        Convolution.inputGradient(g, dOutput: dOutput, kernel: kernel, dInput: dInput, workers: workers, workspace: workspace)
        Convolution.filterGradient(
            g, input: input, dOutput: dOutput, dKernel: dKernel, dBias: dBias, workers: workers, workspace: workspace)
        var dKernelExpected = [Double](repeating: 0, count: dense.count)
        var dBiasExpected = [Double](repeating: 0, count: g.filters)
        for frame in 0..<2 {
            let (x, d) = (input.base + frame * g.inputShape.count, dOutput.base + frame * g.outputShape.count)
            var expected = [Double](repeating: .nan, count: g.outputShape.count)
            vc_reference_convolution(&shape, Int32(g.filters), x, dense.base, bias.base, false, &expected)
            #expect(relativeError(output.rows(frame..<frame + 1).array, expected) <= 1e-5)
            var dExpected = [Double](repeating: .nan, count: g.inputShape.count)
            vc_reference_convolution_input_gradient(&shape, Int32(g.filters), d, dense.base, &dExpected)
            #expect(relativeError(dInput.rows(frame..<frame + 1).array, dExpected) <= 1e-5)
            vc_reference_convolution_parameter_gradients(&shape, Int32(g.filters), x, d, &dKernelExpected, &dBiasExpected)
        }
        var grouped = [Double](repeating: .nan, count: kernel.count)
        forEachElement(g) { grouped[$0] = dKernelExpected[$1] }
        #expect(relativeError(dKernel.array, grouped) <= 1e-5)
        #expect(relativeError(dBias.array, dBiasExpected) <= 1e-5)
    }

    @Test(arguments: [cases[0], cases[1], cases[7]])
    func bitsDependOnNeitherThreadsNorFrames(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 22)
        let frames = Convolution.frameGroup + 3
        let input = tensors.uniform(g.inputShape.prepending(frames))
        let dOutput = tensors.uniform(g.outputShape.prepending(frames))
        let adding = tensors.uniform(g.outputShape.prepending(frames))
        let kernel = tensors.uniform(g.kernelShape)
        var first: [[UInt32]]?
        for (threads, step) in [(1, frames), (2, frames), (3, Convolution.frameGroup)] {
            let workers = Workers(count: threads)
            let workspace = garbageWorkspace()
            let (output, dInput) = (tensors.nan(dOutput.shape), tensors.nan(input.shape))
            let dKernel = tensors.zeros(g.kernelShape)
            for start in stride(from: 0, to: frames, by: step) {
                let range = start..<min(frames, start + step)
                Convolution.forward(
                    g, input: input.rows(range), kernel: kernel, bias: nil, activation: .silu, adding: adding.rows(range),
                    output: output.rows(range), workers: workers, workspace: workspace)
                Convolution.inputGradient(
                    g, dOutput: dOutput.rows(range), kernel: kernel, dInput: dInput.rows(range), workers: workers, workspace: workspace)
                Convolution.filterGradient(
                    g, input: input.rows(range), dOutput: dOutput.rows(range), dKernel: dKernel, workers: workers, workspace: workspace)
            }
            let found = [output, dInput, dKernel].map(bits)
            #expect(found == first ?? found, "\(threads) threads, \(step) frames a call")
            first = first ?? found
        }
    }

    /// activation(convolution + bias + adding), by every algorithm, with and without each of the two.
    @Test(arguments: ActivationKind.allCases)
    func whatFollowsAConvolutionIsItsTwin(_ kind: ActivationKind) {
        let g = ConvolutionGeometry(rows: 30, columns: 21, channels: 16, filters: 24)
        var tensors = TestTensors(seed: 23)
        let input = tensors.uniform(g.inputShape.prepending(2))
        let adding = tensors.uniform(g.outputShape.prepending(2))
        let kernel = tensors.uniform(g.kernelShape, -0.3, 0.3)
        let bias = tensors.uniform([g.filters])
        let workers = Workers(count: 2)
        for algorithm in Convolution.Algorithm.allCases {
            let plain = tensors.nan(adding.shape)
            Convolution.forward(
                g, algorithm, input: input, kernel: kernel, bias: nil, output: plain, workers: workers, workspace: garbageWorkspace())
            for (bias, adding) in [(bias, nil), (nil, adding), (bias, adding), (nil, nil)] as [(Tensor?, Tensor?)] {
                let output = tensors.nan(plain.shape)
                Convolution.forward(
                    g, algorithm, input: input, kernel: kernel, bias: bias, activation: kind, adding: adding, output: output,
                    workers: workers, workspace: garbageWorkspace())
                var expected = [Double](repeating: .nan, count: plain.count)
                vc_reference_finish_positions(
                    kind.code, plain.count / g.filters, Int32(g.filters), plain.base, bias?.base, adding?.base, &expected)
                // The bias goes into Winograd's sum before its last addition.
                #expect(relativeError(output.array, expected) <= 2e-6, "\(algorithm)")
            }
        }
    }
}
