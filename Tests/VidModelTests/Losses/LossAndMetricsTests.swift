import Foundation
import Testing
import VidModel
import VidTensor
import VidTestSupport

@Suite struct LossAndMetricsTests {
    /// Owns the memory of what is evaluated, for the length of a test.
    private let context: Context

    init() throws {
        context = Context(parameters: try ParameterStore(ParameterLayout()), workers: Workers(count: 2), random: RandomGenerator(seed: 1))
    }

    @Test func valuesByHand() {
        var tensors = TestTensors(seed: 1)
        let logits = tensors.zeros([2, 2])
        logits.copy(from: [0, log(3), 0, 0])
        let result = CategoricalCrossEntropy().evaluate(logits, labels: [1, 0], denominator: 2, context)
        #expect(abs(result.loss - (-log(0.75) - log(0.5))) <= 1e-6)
        let expected = [0.125, -0.125, -0.25, 0.25]
        #expect(relativeError(result.dLogits.array, expected) <= 1e-6)
        #expect(result.correct == 2, "of equal scores the first is taken")
    }

    @Test func labelSmoothingByHand() {
        var tensors = TestTensors(seed: 1)
        let logits = tensors.zeros([1, 4])
        let result = CategoricalCrossEntropy(labelSmoothing: 0.2).evaluate(logits, labels: [2], denominator: 1, context)
        #expect(abs(result.loss - log(4)) <= 1e-6)
        #expect(relativeError(result.dLogits.array, [0.2, 0.2, -0.6, 0.2]) <= 1e-6)
    }

    /// Clips of weight 0 add nothing to the sum, but count among the clips it is divided by; a batch of them has the loss 0.
    @Test func weightZeroByHand() {
        var tensors = TestTensors(seed: 1)
        let logits = tensors.zeros([3, 2])
        logits.copy(from: [0, log(3), 5, -5, log(3), 0])
        let loss = CategoricalCrossEntropy(labelSmoothing: 0.2)
        let result = loss.evaluate(logits, labels: [0, 1, 0], weights: [2, 0, 2], denominator: 3, context)
        // Targets 0.9 and 0.1; scores 1/4, 3/4 in the first row and 3/4, 1/4 in the last: together the log of all four once.
        let expected: Double = -2 * (log(0.25) + log(0.75))
        #expect(abs(result.loss - expected) <= 1e-6)
        let (first, last) = (1.3 / 3, 0.3 / 3)
        #expect(relativeError(result.dLogits.array, [-first, first, 0, 0, -last, last]) <= 1e-6)
        #expect(result.dLogits.array[2...3] == [0, 0])
        let none = loss.evaluate(logits, labels: [1, 1, 1], weights: [0, 0, 0], denominator: 3, context)
        #expect(none.loss == 0 && none.dLogits.array.allSatisfy { $0 == 0 })
    }

    /// Shares of a batch, as several machines would take them, add up to the whole.
    @Test func sharesAddUp() {
        var tensors = TestTensors(seed: 2)
        let logits = tensors.uniform([6, 5], -3, 3)
        let labels = [0, 4, 2, 1, 1, 3]
        let weights: [Float] = [1, 2, 0.5, 1, 0, 3]
        let loss = CategoricalCrossEntropy(labelSmoothing: 0.1)
        let whole = loss.evaluate(logits, labels: labels, weights: weights, denominator: 6, context)
        let a = loss.evaluate(logits.rows(0..<2), labels: Array(labels[..<2]), weights: Array(weights[..<2]), denominator: 6, context)
        let b = loss.evaluate(logits.rows(2..<6), labels: Array(labels[2...]), weights: Array(weights[2...]), denominator: 6, context)
        #expect(a.dLogits.array + b.dLogits.array == whole.dLogits.array)
        #expect(abs(a.loss + b.loss - whole.loss) <= 1e-12)
        #expect(a.correct + b.correct == whole.correct)
    }

    @Test func gradientByDifferences() {
        var tensors = TestTensors(seed: 3)
        let logits = tensors.uniform([3, 7], -2, 2)
        let loss = CategoricalCrossEntropy(labelSmoothing: 0.1)
        let dLogits = loss.evaluate(logits, labels: [6, 0, 3], weights: [1, 2, 0.5], denominator: 1, context).dLogits
        let error = gradientError(at: logits, analytic: dLogits) {
            loss.evaluate(logits, labels: [6, 0, 3], weights: [1, 2, 0.5], denominator: 1, context).loss
        }
        #expect(error <= 1e-3)
    }

    @Test func ranksAndAccuracies() {
        var metrics = CategoricalMetrics(k: 2)
        let rows: [(scores: [Float], label: Int)] = [
            ([0.1, 0.7, 0.2], 1), ([0.1, 0.7, 0.2], 2), ([0.1, 0.7, 0.2], 0), ([0.5, 0.5, 0], 1), ([.nan, 1, 0], 1),
            ([1, .nan, 0], 1),
        ]
        for row in rows { metrics.add(scores: row.scores, classes: 3, label: row.label) }
        #expect(metrics.clips == 6)
        #expect(metrics.correct == 1)
        #expect(metrics.correctInTopK == 4)
        #expect(metrics.accuracy == 1.0 / 6 && metrics.topKAccuracy == 4.0 / 6)
        var sum = CategoricalMetrics(k: 2)
        sum.add(metrics)
        sum.add(metrics)
        #expect(sum.clips == 12 && sum.correct == 2 && sum.correctInTopK == 8)
        #expect(CategoricalMetrics().accuracy == 0)
    }
}
