import RealModule
import VidTrain

/// All metrics of an evaluation that the report shows, with their intervals. They depend only on the clips' scores, so that each can be
/// checked with predictions.csv.
package struct EvaluationMetrics: Sendable {
    /// The metrics of one class.
    package struct PerClass: Sendable {
        package let label: String
        /// The clips of this class, the clips predicted as it, and those that are both.
        package let support: Int
        package let decided: Int
        package let hits: Int
        package let precision: Measure
        package let recall: Measure
        package let f1: Measure
    }

    /// The clips of one class that were classified as another.
    package struct Confusion: Sendable, Equatable {
        package let truth: Int
        package let decision: Int
        package let clips: Int
    }

    /// The smallest score in the log loss, so that one clip cannot make it infinite: the epsilon of Double, as in scikit-learn's
    /// `log_loss`.
    package static let smallestScore = 0x1p-52

    package let classes: [String]
    package let clips: Int
    package let correct: Int
    package let accuracy: Measure
    /// Nil for five or fewer classes.
    package let topFive: Measure?
    package let loss: Measure
    /// Clips whose true class has a score below `smallestScore`.
    package let clippedLosses: Int
    /// The mean squared distance of the scores from the truth, 0 to 2 (G. W. Brier, 1950).
    package let brier: Measure
    package let calibrationError: Measure
    package let balancedAccuracy: Measure
    package let macroF1: Measure
    package let counts: ClassCounts
    package let perClass: [PerClass]
    /// Rows are the true classes, columns the predicted ones.
    package let confusion: [[Int]]
    package let calibration: Calibration
    /// The most frequent class, the first of equals, and its share: the accuracy of always guessing it.
    package let majority: (label: Int, share: Double)

    package init(_ evaluation: Evaluation) {
        let clips = evaluation.clips.map(ScoredClip.init)
        let classes = evaluation.classes
        let whole = ClipStatistics(clips, classes: classes.count)
        var all = whole
        all.count(Array(clips.indices))
        let names = classes.count
        // Loss, Brier, calibration error, balanced accuracy, macro F1.
        var scratch = whole
        let intervals = Bootstrap.intervals(clips: clips.count, count: 5) { drawn, values in
            scratch.count(drawn)
            scratch.write(&values)
        }
        var values = [Double](repeating: 0, count: 5)
        all.write(&values)
        self.classes = classes
        self.clips = clips.count
        correct = clips.count { $0.isCorrect }
        accuracy = Measure(correct, of: clips.count)
        topFive = names > 5 ? Measure(clips.count { $0.isInTopFive }, of: clips.count) : nil
        loss = Measure(values[0], intervals[0])
        clippedLosses = clips.count { $0.isClipped }
        brier = Measure(values[1], intervals[1])
        calibrationError = Measure(values[2], intervals[2])
        balancedAccuracy = Measure(values[3], intervals[3])
        macroF1 = Measure(values[4], intervals[4])
        counts = all.counts
        calibration = all.calibration
        confusion = evaluation.confusion
        perClass = classes.indices.map { [counts = all.counts] label in
            PerClass(
                label: classes[label], support: counts.support[label], decided: counts.decided[label], hits: counts.hits[label],
                precision: Measure(counts.hits[label], of: counts.decided[label]),
                recall: Measure(counts.hits[label], of: counts.support[label]),
                f1: Measure(
                    counts.f1(label),
                    .f1(hits: counts.hits[label], of: counts.support[label] + counts.decided[label] - counts.hits[label])))
        }
        let support = all.counts.support
        let largest = support.indices.max { support[$0] < support[$1] || (support[$0] == support[$1] && $0 > $1) }
        let label = largest ?? 0
        majority = (label, names == 0 ? 0 : Double(support[label]) / Double(max(clips.count, 1)))
    }

    /// The calibration error that is expected of these scores by chance if they are perfectly calibrated: the mean over the bins of
    /// E|K / n - p|, weighted by their clips, with K binomial of a bin's n clips and its mean score p.
    ///
    /// De Moivre's formula ("Miscellanea Analytica", 1730): E|K - n p| = 2 v C(n, v) p^v (1 - p)^(n - v + 1), with v = floor(n p) + 1.
    package var calibrationErrorByChance: Double {
        let deviations = calibration.bins.map { bin -> Double in
            let (n, p) = (bin.clips, bin.confidence)
            guard n > 0, p > 0, p < 1 else { return 0 }
            let v = min(Int(Double(n) * p), n - 1) + 1
            var logarithm = Double.log(2 * Double(v)) + Double(v) * Double.log(p) + Double(n - v + 1) * Double.log(onePlus: -p)
            for k in 0..<min(v, n - v) { logarithm += Double.log(Double(n - k) / Double(k + 1)) }
            return Double.exp(logarithm)
        }
        return deviations.reduce(0, +) / Double(max(clips, 1))
    }

    /// The confused pairs of classes, most frequent first, then in the order of the classes.
    package func confusions(atMost limit: Int) -> [Confusion] {
        var pairs: [Confusion] = []
        for (truth, row) in confusion.enumerated() {
            for (decision, clips) in row.enumerated() where clips > 0 && truth != decision {
                pairs.append(Confusion(truth: truth, decision: decision, clips: clips))
            }
        }
        return Array(pairs.sorted { ($1.clips, $0.truth, $0.decision) < ($0.clips, $1.truth, $1.decision) }.prefix(limit))
    }
}

/// The values of a clip that resampling needs.
private struct ScoredClip {
    let label: Int
    let decision: Int
    let confidence: Double
    let bin: Int
    let loss: Double
    let brier: Double
    let isClipped: Bool
    let isInTopFive: Bool

    var isCorrect: Bool { label == decision }

    init(_ clip: ClipScores) {
        label = clip.label
        decision = clip.decision
        confidence = clip.confidence
        bin = Calibration.bin(of: confidence)
        let own = Double(clip.scores[clip.label])
        isClipped = own < EvaluationMetrics.smallestScore
        loss = -Double.log(max(own, EvaluationMetrics.smallestScore))
        brier = clip.brier
        isInTopFive = clip.isInTop(5)
    }
}

/// The metrics of a subset of the clips, computed repeatedly without allocation.
private struct ClipStatistics {
    private let clips: [ScoredClip]
    var counts: ClassCounts
    var calibration = Calibration()
    private var loss = 0.0
    private var brier = 0.0
    private var total = 0

    init(_ clips: [ScoredClip], classes: Int) {
        self.clips = clips
        counts = ClassCounts(classes: classes)
    }

    mutating func count(_ indices: [Int]) {
        counts.removeAll()
        calibration.removeAll()
        (loss, brier, total) = (0, 0, indices.count)
        for index in indices {
            let clip = clips[index]
            counts.add(label: clip.label, decision: clip.decision)
            calibration.add(confidence: clip.confidence, bin: clip.bin, isCorrect: clip.isCorrect)
            loss += clip.loss
            brier += clip.brier
        }
    }

    func write(_ values: inout [Double]) {
        let clips = Double(max(total, 1))
        values[0] = loss / clips
        values[1] = brier / clips
        values[2] = calibration.expectedError
        values[3] = counts.balancedAccuracy
        values[4] = counts.macro.f1
    }
}
