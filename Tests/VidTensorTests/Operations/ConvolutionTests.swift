import CKernels
import CReferenceKernels
import Testing
import VidTensor
import VidTestSupport

/// The convolution operations, each algorithm that can be, against their naive double-precision twins.
///
/// A result is a sum of n products of numbers of order one: its rounding error is about sqrt(n) * 6e-8 of the products' size
/// while the largest result grows as sqrt(n) too, so the error relative to the largest is near 1e-6 whatever n. Winograd's
/// sums are of larger numbers that cancel: its errors are some three times as large (measured: 1e-6 to 5e-6).
@Suite struct ConvolutionTests {
    private let outputTolerance = 1e-5
    private let gradientTolerance = 2e-5

    @Test(arguments: ConvolutionShape.vgg16.map { ConvolutionCase($0) } + ConvolutionCase.odd)
    func forwardIsItsTwin(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 1)
        let input = tensors.uniform(g.inputShape.prepending(1))
        let kernel = tensors.uniform(g.kernelShape)
        let bias = tensors.uniform([g.filters])
        var shape = test.shape
        var expected = [Double](repeating: .nan, count: g.outputShape.count)
        for relu in [false, true] {
            vc_reference_convolution(&shape, Int32(g.filters), input.base, kernel.base, bias.base, relu, &expected)
            for algorithm in test.algorithms {
                let output = tensors.nan(g.outputShape.prepending(1))
                Convolution.forward(
                    g, algorithm, input: input, kernel: kernel, bias: bias, activation: relu ? .relu : .linear, output: output,
                    workers: Workers(count: 2),
                    workspace: garbageWorkspace())
                let error = relativeError(output.array, expected)
                #expect(error <= outputTolerance, "\(algorithm), relu \(relu)")
            }
            if g.taps > 1000 { break }  // The large twins take their time; the epilogue is the same.
        }
    }

    /// Fewer filters than VGG's: the twin is slow.
    @Test(arguments: ConvolutionShape.vgg16.map { ConvolutionCase($0, filters: 24) } + ConvolutionCase.odd)
    func inputGradientIsItsTwin(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 2)
        let dOutput = tensors.uniform(g.outputShape.prepending(1))
        let kernel = tensors.uniform(g.kernelShape)
        var shape = test.shape
        var expected = [Double](repeating: .nan, count: g.inputShape.count)
        vc_reference_convolution_input_gradient(&shape, Int32(g.filters), dOutput.base, kernel.base, &expected)
        for algorithm in test.algorithms {
            let dInput = tensors.nan(g.inputShape.prepending(1))
            Convolution.inputGradient(
                g, algorithm, dOutput: dOutput, kernel: kernel, dInput: dInput, workers: Workers(count: 2), workspace: garbageWorkspace())
            let error = relativeError(dInput.array, expected)
            #expect(error <= gradientTolerance, "\(algorithm)")
        }
    }

    @Test(arguments: ConvolutionShape.vgg16.map { ConvolutionCase($0) } + ConvolutionCase.odd)
    func parameterGradientsAreTheirTwins(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 3)
        let frames = g.flops > 1e8 ? 1 : 3
        let input = tensors.uniform(g.inputShape.prepending(frames))
        let dOutput = tensors.uniform(g.outputShape.prepending(frames))
        var shape = test.shape
        var dKernelExpected = [Double](repeating: 0.5, count: g.kernelShape.count)
        var dBiasExpected = [Double](repeating: -0.5, count: g.filters)
        for frame in 0..<frames {
            vc_reference_convolution_parameter_gradients(
                &shape, Int32(g.filters), input.base + frame * g.inputShape.count, dOutput.base + frame * g.outputShape.count,
                &dKernelExpected, &dBiasExpected)
        }
        // Gradients are added to what is there.
        for algorithm in test.algorithms {
            let dKernel = tensors.nan(g.kernelShape)
            dKernel.fill(0.5)
            let dBias = tensors.nan([g.filters])
            dBias.fill(-0.5)
            let workers = Workers(count: 2)
            let workspace = garbageWorkspace()
            Convolution.filterGradient(
                g, algorithm, input: input, dOutput: dOutput, dKernel: dKernel, dBias: dBias, workers: workers, workspace: workspace)
            let kernelError = relativeError(dKernel.array, dKernelExpected)
            let biasError = relativeError(dBias.array, dBiasExpected)
            #expect(kernelError <= gradientTolerance, "\(algorithm)")
            #expect(biasError <= gradientTolerance, "\(algorithm)")
        }
    }

    /// A gate is the gradient of the ReLU before the layer.
    @Test(arguments: ConvolutionCase.odd)
    func gatedInputGradientIsAReLUsGradient(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 4)
        let input = tensors.uniform(g.inputShape.prepending(2))
        let dOutput = tensors.uniform(g.outputShape.prepending(2))
        let kernel = tensors.uniform(g.kernelShape)
        let workers = Workers(count: 2)
        for algorithm in test.algorithms {
            let (plain, gated) = (tensors.nan(input.shape), tensors.nan(input.shape))
            Convolution.inputGradient(
                g, algorithm, dOutput: dOutput, kernel: kernel, dInput: plain, workers: workers, workspace: garbageWorkspace())
            Convolution.inputGradient(
                g, algorithm, dOutput: dOutput, kernel: kernel, gate: input, dInput: gated, workers: workers, workspace: garbageWorkspace())
            let expected = zip(plain.array, input.array).map { $1 > 0 ? $0 : 0 }
            #expect(gated.array == expected, "\(algorithm)")
        }
    }

    /// Neither the number of threads nor the number of frames in a call shows in the bits, as long as filter gradients get
    /// whole groups of frames. The cases take every way: im2col's sections of large maps and panels of large kernels,
    /// Winograd's blocks and sections, channels and tiles that fill neither panels nor blocks.
    @Test(arguments: [
        ConvolutionCase("few filters", .init(rows: 80, columns: 90, channels: 3, filters: 20)),
        ConvolutionCase("few whole vectors", .init(rows: 80, columns: 90, channels: 3, filters: 32)),
        ConvolutionCase("medium", .init(rows: 30, columns: 28, channels: 48, filters: 40)),
        ConvolutionCase("panels", .init(rows: 14, columns: 14, channels: 256, filters: 144)),
        ConvolutionCase("ragged", .init(rows: 21, columns: 19, channels: 67, filters: 129)),
        ConvolutionCase("stride", .init(rows: 31, columns: 30, channels: 16, filters: 24, kernel: (5, 5), stride: (2, 2))),
        ConvolutionCase("1x1", .init(rows: 40, columns: 30, channels: 32, filters: 16, kernel: (1, 1))),
        // Its filter gradient has two lanes of tiles: one or two workers take a lane each, three share them.
        ConvolutionCase("two lanes", .init(rows: 54, columns: 58, channels: 35, filters: 20)),
        ConvolutionCase("most lanes", .init(rows: 250, columns: 242, channels: 2, filters: 3)),
    ])
    func bitsDependOnNeitherThreadsNorFrames(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 5)
        let frames = 19
        let input = tensors.uniform(g.inputShape.prepending(frames))
        let dOutput = tensors.uniform(g.outputShape.prepending(frames))
        let kernel = tensors.uniform(g.kernelShape)
        let bias = tensors.uniform([g.filters])
        for algorithm in test.algorithms {
            var first: [[UInt32]]?
            for (threads, step, group) in [(1, 19, 3), (2, 19, 3), (3, 19, 3), (1, 1, 1), (2, 2, 1), (3, 7, 2)] {
                let workers = Workers(count: threads)
                let workspace = garbageWorkspace()
                let output = tensors.nan(dOutput.shape)
                let dInput = tensors.nan(input.shape)
                let dKernel = tensors.zeros(g.kernelShape)
                let dBias = tensors.zeros([g.filters])
                for start in stride(from: 0, to: frames, by: step) {
                    let range = start..<min(frames, start + step)
                    Convolution.forward(
                        g, algorithm, input: input.rows(range), kernel: kernel, bias: bias, activation: .relu, output: output.rows(range),
                        workers: workers, workspace: workspace)
                    Convolution.inputGradient(
                        g, algorithm, dOutput: dOutput.rows(range), kernel: kernel, dInput: dInput.rows(range), workers: workers,
                        workspace: workspace)
                }
                for start in stride(from: 0, to: frames, by: group * Convolution.frameGroup) {
                    let range = start..<min(frames, start + group * Convolution.frameGroup)
                    Convolution.filterGradient(
                        g, algorithm, input: input.rows(range), dOutput: dOutput.rows(range), dKernel: dKernel, dBias: dBias,
                        workers: workers, workspace: workspace)
                }
                let found = [output, dInput, dKernel, dBias].map(bits)
                #expect(found == first ?? found, "\(algorithm), \(threads) threads, \(step) frames a call")
                first = first ?? found
            }
        }
    }
}
