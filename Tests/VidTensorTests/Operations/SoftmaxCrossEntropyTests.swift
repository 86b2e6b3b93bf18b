import CKernels
import CReferenceKernels
import Foundation
import Testing
import VidTensor
import VidTestSupport

@Suite struct SoftmaxCrossEntropyTests {
    @Test(arguments: [(1, 1), (4, 3), (7, 17), (3, 1000)], [Float(0), 0.1])
    func agreesWithTheTwin(_ shape: (Int, Int), _ smoothing: Float) {
        let (rows, columns) = shape
        var tensors = TestTensors(seed: 5)
        let logits = tensors.uniform([rows, columns], -20, 20)
        let targets = tensors.zeros([rows, columns])
        for row in 0..<rows { targets.base[row * columns + row % columns] = 1 }
        let weights = tensors.uniform([rows], 0.5, 2)
        let gradient = tensors.nan([rows, columns])
        var losses = [Double](repeating: .nan, count: rows)
        let sum = SoftmaxCrossEntropy.evaluate(
            logits: logits, targets: targets, weights: weights, smoothing: smoothing, scale: 0.25, losses: &losses, gradient: gradient,
            Workers(count: 2))
        var expectedLosses = [Double](repeating: 0, count: rows)
        var expected = [Double](repeating: 0, count: rows * columns)
        vc_reference_softmax_cross_entropy(
            rows, columns, doubles(logits), doubles(targets), doubles(weights), Double(smoothing), 0.25, &expectedLosses, &expected)
        // Losses of order 10 from exponentials good to 1e-7.
        #expect(abs(sum - expectedLosses.reduce(0, +)) <= 1e-6 * max(1, expectedLosses.reduce(0, +)))
        let error = zip(gradient.array, expected).map { abs(Double($0) - $1) }.max() ?? .nan
        #expect(error <= 1e-6)
    }

    @Test func aHopelessLogitGivesAFiniteLoss() {
        var tensors = TestTensors(seed: 6)
        let logits = tensors.zeros([1, 2])
        logits.copy(from: [-10000, 10000])
        let targets = tensors.zeros([1, 2])
        targets.copy(from: [1, 0])
        let gradient = tensors.nan([1, 2])
        var losses = [Double.nan]
        let loss = SoftmaxCrossEntropy.evaluate(
            logits: logits, targets: targets, weights: nil, smoothing: 0, scale: 1, losses: &losses, gradient: gradient,
            Workers(count: 1))
        #expect(loss == 20000)
        #expect(gradient.array == [-1, 1])
    }

    @Test func aRowOfWeightZeroIsLeftOut() {
        var tensors = TestTensors(seed: 7)
        let logits = tensors.nan([2, 3])
        for column in 0..<3 { logits.base[column] = 0 }
        let targets = tensors.zeros([2, 3])
        targets.base[0] = 1
        let weights = tensors.zeros([2])
        weights.base[0] = 1
        let gradient = tensors.nan([2, 3])
        var losses = [Double](repeating: .nan, count: 2)
        let loss = SoftmaxCrossEntropy.evaluate(
            logits: logits, targets: targets, weights: weights, smoothing: 0, scale: 1, losses: &losses, gradient: gradient,
            Workers(count: 1))
        #expect(abs(loss - log(3)) <= 1e-7)
        #expect(gradient.array.suffix(3) == [0, 0, 0])
    }
}
