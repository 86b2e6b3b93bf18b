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
}
