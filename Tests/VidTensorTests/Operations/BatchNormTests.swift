import CKernels
import CReferenceKernels
import Testing
import VidTensor
import VidTestSupport

@Suite struct BatchNormTests {
    @Test(arguments: [(3, 1), (17, 3), (40, 130), (5, 1000)], [false, true])
    func agreesWithTheTwin(_ shape: (Int, Int), _ isMasked: Bool) {
        let (rows, columns) = shape
        var tensors = TestTensors(seed: 14)
        let workers = Workers(count: 2)
        let x = tensors.uniform([rows, columns], 10, 20)
        let (gamma, beta) = (tensors.uniform([columns], 0.5, 2), tensors.uniform([columns]))
        let mask = tensors.zeros([rows])
        mask.fill(1)
        if isMasked { mask.base[1] = 0 }
        let (mean, variance, y) = (tensors.nan([columns]), tensors.nan([columns]), tensors.nan([rows, columns]))
        BatchNorm.moments(x, mask: isMasked ? mask : nil, mean: mean, variance: variance, workers)
        BatchNorm.forward(x, mean: mean, variance: variance, epsilon: 1e-3, gamma: gamma, beta: beta, into: y, workers)
        var (expectedMean, expectedVariance) = ([Double](repeating: 0, count: columns), [Double](repeating: 0, count: columns))
        var expected = [Double](repeating: 0, count: rows * columns)
        vc_reference_batch_norm(
            rows, columns, doubles(x), doubles(mask), Double(Float(1e-3)), doubles(gamma), doubles(beta), &expectedMean,
            &expectedVariance, &expected)
        #expect(relativeError(mean.array, expectedMean) <= 1e-6)
        #expect(relativeError(variance.array, expectedVariance) <= 1e-6)
        // x - mean with x near 20 and the mean rounded: 1e-6 absolute, over deviations near 3.
        #expect(relativeError(y.array, expected) <= 5e-6)

        let dy = tensors.uniform([rows, columns])
        let (dGamma, dBeta, dx) = (tensors.nan([columns]), tensors.nan([columns]), tensors.nan([rows, columns]))
        BatchNorm.backward(
            x, dy, mask: isMasked ? mask : nil, usesBatchStatistics: true, mean: mean, variance: variance, epsilon: 1e-3, gamma: gamma,
            dGamma: dGamma, dBeta: dBeta, dx: dx, workers)
        var (expectedGamma, expectedBeta) = (expectedMean, expectedMean)
        var expectedDx = expected
        vc_reference_batch_norm_backward(
            rows, columns, doubles(x), doubles(mask), Double(Float(1e-3)), doubles(gamma), expectedMean, expectedVariance, doubles(dy),
            &expectedGamma, &expectedBeta, &expectedDx)
        #expect(relativeError(dGamma.array, expectedGamma) <= 5e-6)
        #expect(relativeError(dBeta.array, expectedBeta) <= 1e-6)
        #expect(relativeError(dx.array, expectedDx) <= 1e-5)
    }

    @Test func nothingThatCountsGivesNoNaN() {
        var tensors = TestTensors(seed: 15)
        let x = tensors.uniform([4, 3])
        let (mean, variance) = (tensors.nan([3]), tensors.nan([3]))
        BatchNorm.moments(x, mask: tensors.zeros([4]), mean: mean, variance: variance, Workers(count: 1))
        #expect(mean.array == [0, 0, 0])
        #expect(variance.array == [0, 0, 0])
    }

    /// Maps of several sections and an activation after the normalisation, whose gradient comes first on the way back.
    @Test(arguments: [ActivationKind.linear, .relu, .relu6, .silu, .hardSwish], [[3, 40, 41, 24], [1, 70, 60, 130]])
    func mapsWithAnActivationAreTheirTwins(_ kind: ActivationKind, _ shape: [Int]) {
        var tensors = TestTensors(seed: 16)
        let (rows, columns) = (shape[0] * shape[1] * shape[2], shape[3])
        let x = tensors.uniform(Shape(shape), -1, 3)
        let dy = tensors.uniform(Shape(shape))
        let (gamma, beta) = (tensors.uniform([columns], 0.5, 2), tensors.uniform([columns]))
        var (expectedMean, expectedVariance) = ([Double](repeating: 0, count: columns), [Double](repeating: 0, count: columns))
        let ones = [Double](repeating: 1, count: rows)
        var z = [Double](repeating: 0, count: rows * columns)
        vc_reference_batch_norm(
            rows, columns, doubles(x), ones, Double(Float(1e-3)), doubles(gamma), doubles(beta), &expectedMean, &expectedVariance, &z)
        let expected = z.map { vc_reference_activation(kind.code, $0) }
        // Next to a kink the rounding of z decides the slope: there is no gradient to compare.
        for i in 0..<z.count where [-3, 0, 3, 6].contains(where: { abs(z[i] - $0) < 1e-4 }) { dy.base[i] = 0 }
        let d = zip(z, doubles(dy)).map { vc_reference_activation_slope(kind.code, $0) * $1 }
        var (dGammaExpected, dBetaExpected, dxExpected) = (expectedMean, expectedMean, z)
        vc_reference_batch_norm_backward(
            rows, columns, doubles(x), ones, Double(Float(1e-3)), doubles(gamma), expectedMean, expectedVariance, d, &dGammaExpected,
            &dBetaExpected, &dxExpected)
        var first: [[UInt32]]?
        for threads in threadCounts {
            let workers = Workers(count: threads)
            let (mean, variance, y, dx) = (tensors.nan([columns]), tensors.nan([columns]), tensors.nan(x.shape), tensors.nan(x.shape))
            let (dGamma, dBeta) = (tensors.nan([columns]), tensors.nan([columns]))
            BatchNorm.moments(x, mask: nil, mean: mean, variance: variance, workers)
            BatchNorm.forward(
                x, mean: mean, variance: variance, epsilon: 1e-3, gamma: gamma, beta: beta, activation: kind, into: y, workers)
            BatchNorm.backward(
                x, dy, mask: nil, usesBatchStatistics: true, mean: mean, variance: variance, epsilon: 1e-3, gamma: gamma, beta: beta,
                activation: kind, dGamma: dGamma, dBeta: dBeta, dx: dx, workers)
            #expect(relativeError(mean.array, expectedMean) <= 1e-6)
            #expect(relativeError(variance.array, expectedVariance) <= 1e-6)
            #expect(relativeError(y.array, expected) <= 2e-6)
            // Sums of thousands of numbers of both signs, each with an error of 1e-7 or so.
            #expect(relativeError(dGamma.array, dGammaExpected) <= 2e-5)
            #expect(relativeError(dBeta.array, dBetaExpected) <= 2e-5)
            #expect(relativeError(dx.array, dxExpected) <= 1e-5)
            let found = [mean, variance, y, dGamma, dBeta, dx].map(bits)
            #expect(found == first ?? found, "\(threads) threads")
            first = first ?? found

            // With constant statistics only the scale is left.
            BatchNorm.backward(
                x, dy, mask: nil, usesBatchStatistics: false, mean: mean, variance: variance, epsilon: 1e-3, gamma: gamma, beta: beta,
                activation: kind, dGamma: dGamma, dBeta: dBeta, dx: dx, workers)
            let scaled = d.enumerated().map { i, d in
                d * Double(gamma.base[i % columns]) / (expectedVariance[i % columns] + Double(Float(1e-3))).squareRoot()
            }
            #expect(relativeError(dx.array, scaled) <= 2e-6)
        }
    }

    /// A folded convolution is the convolution and its normalisation. An output is a sum of 144 products: see ConvolutionTests.
    @Test(arguments: [false, true])
    func foldedConvolutionIsTheTwoInTurn(_ isDepthwise: Bool) {
        let g = ConvolutionGeometry(rows: 9, columns: 8, channels: 16, filters: isDepthwise ? 16 : 24, groups: isDepthwise ? 16 : 1)
        var tensors = TestTensors(seed: 17)
        let (workers, workspace) = (Workers(count: 2), Workspace())
        let input = tensors.uniform(g.inputShape.prepending(2))
        let kernel = isDepthwise ? tensors.uniform([3, 3, 16]) : tensors.uniform(g.kernelShape)
        let (gamma, beta) = (tensors.uniform([g.filters], -2, 2), tensors.uniform([g.filters]))
        let (mean, variance) = (tensors.uniform([g.filters]), tensors.uniform([g.filters], 0.01, 4))
        let (foldedKernel, foldedBias) = (tensors.nan(kernel.shape), tensors.nan([g.filters]))
        func convolve(_ kernel: Tensor, _ bias: Tensor?) -> Tensor {
            let output = tensors.nan(g.outputShape.prepending(2))
            if isDepthwise {
                DepthwiseConvolution.forward(g, input: input, kernel: kernel, bias: bias, output: output, workers: workers)
            } else {
                Convolution.forward(g, input: input, kernel: kernel, bias: bias, output: output, workers: workers, workspace: workspace)
            }
            return output
        }
        for bias in [nil, tensors.uniform([g.filters])] {
            let plain = convolve(kernel, bias)
            let expected = tensors.nan(plain.shape)
            BatchNorm.forward(plain, mean: mean, variance: variance, epsilon: 1e-5, gamma: gamma, beta: beta, into: expected, workers)
            BatchNorm.fold(
                kernel: kernel, bias: bias, gamma: gamma, beta: beta, mean: mean, variance: variance, epsilon: 1e-5,
                foldedKernel: foldedKernel, foldedBias: foldedBias)
            #expect(relativeError(convolve(foldedKernel, foldedBias).array, expected.array) <= 5e-6)
        }
    }
}
