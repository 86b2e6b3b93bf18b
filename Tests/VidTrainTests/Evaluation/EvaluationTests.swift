import Foundation
import Testing
import VidConfig
import VidTensor
import VidTrain

@Suite struct EvaluationTests {
    private let evaluation = Evaluation(
        classes: ["a", "b", "c"],
        clips: [
            ClipScores(clip: "1", label: 0, scores: [0.7, 0.2, 0.1]),
            ClipScores(clip: "2", label: 0, scores: [0.3, 0.6, 0.1]),
            ClipScores(clip: "3", label: 1, scores: [0.1, 0.8, 0.1]),
            ClipScores(clip: "4", label: 1, scores: [0.4, 0.4, 0.2]),
        ], losses: [0.1, 0.2, 0.3, 0.6])

    @Test func confusionHasTheTruthInItsRows() {
        #expect(evaluation.confusion == [[1, 1, 0], [1, 1, 0], [0, 0, 0]])
    }

    @Test func accuracyAndLossAreMeans() {
        #expect(evaluation.accuracy == 0.5)
        #expect(abs(evaluation.loss - 0.3) < 1e-12)
        #expect(evaluation.topAccuracy(2) == 1)
        #expect(evaluation.topAccuracy(5) == 1)
    }

    /// scikit-learn's precision_recall_fscore_support(zero_division=0) of the same four clips.
    @Test func metricsOfEachClass() {
        let counts = evaluation.counts
        #expect(counts.support == [2, 2, 0])
        #expect((0..<3).map(counts.precision) == [0.5, 0.5, 0])
        #expect((0..<3).map(counts.recall) == [0.5, 0.5, 0])
        #expect((0..<3).map(counts.f1) == [0.5, 0.5, 0])
        // The class that is neither the truth nor a decision does not count.
        #expect(evaluation.macroF1 == 0.5)
    }

    @Test func anEvaluationOfNoClipsIsFinite() {
        let empty = Evaluation(classes: ["a", "b"], clips: [], losses: [])
        for kind in Metric.Kind.allCases where !kind.isOfTraining {
            #expect(empty.value(of: kind, classIndex: 1)?.isFinite == true, "\(kind)")
        }
    }

    @Test func equalScoresDecideForTheFirstClass() {
        #expect(ClipScores(clip: "", label: 1, scores: [0.4, 0.4, 0.2]).decision == 0)
    }

    @Test func ofEqualScoresTheFirstDecidesAndAllAreInTheTop() {
        let clip = ClipScores(clip: "", label: 1, scores: [0.4, 0.4, 0.2])
        #expect(!clip.isInTop(1) && clip.isInTop(2))
        let tied = ClipScores(clip: "", label: 2, scores: [0.25, 0.25, 0.25, 0.25])
        #expect(!tied.isInTop(1) && tied.isInTop(2))
    }

    @Test func aScoreOfNaNNeverCountsAsRight() {
        #expect(!ClipScores(clip: "", label: 1, scores: [0, .nan, 0]).isInTop(5))
        #expect(!ClipScores(clip: "", label: 1, scores: [.nan, 1, 0]).isInTop(1))
    }

    @Test func softmaxAndCrossEntropyHoldForLargeLogits() {
        let scores = Scores.softmax([1000, 1000, -1000])
        #expect(scores == [0.5, 0.5, 0])
        #expect(abs(Scores.crossEntropy([1000, 1000, -1000], label: 0) - 0.6931471805599453) < 1e-9)
        #expect(Scores.crossEntropy([0, -2000], label: 1) == 2000)
    }

    @Test func severalSamplesOfAClipAreAveragedAsProbabilities() {
        let samples: [[Float]] = [[0, 2], [1000, 0]]
        let p = 1 / (1 + exp(2.0))
        #expect(abs(Double(Scores.mean(samples)[0]) - (p + 1) / 2) <= 1e-7)
        #expect(abs(Scores.crossEntropy(samples, label: 0) + log((p + 1) / 2)) <= 1e-12)
        #expect(Scores.mean([[0.5, 0.25]]) == Scores.softmax([0.5, 0.25]))
        #expect(Scores.crossEntropy([[0.5, 0.25]], label: 1) == Scores.crossEntropy([0.5, 0.25] as [Float], label: 1))
        #expect(Scores.crossEntropy([[0, -3000], [0, -2000]], label: 1) >= 2000)
    }
}
