import VidData
import VidTrain

/// A stretch of a recording in which one class continues.
package struct Bout: Sendable, Equatable {
    package let label: String
    /// Seconds.
    package let start: Double
    package let end: Double
    /// The mean score of the label from start to end.
    package let score: Double
}

/// Makes bouts of windows that come one after another, each as soon as it has ended.
///
/// At every moment each class has the mean of its scores in the windows that cover the moment. The class with the highest mean is there
/// if that is at least the threshold; of equal means the class that comes first counts. Moments of the same class that touch make a bout.
/// Where no window is, or no class reaches the threshold, is none. Bouts that are too short are left out; those beside them stay as they are.
package struct BoutMaker {
    /// Windows whose bounds are nearer than this, in seconds, touch: sums of decimal fractions are not exact.
    private static let tolerance = 1e-6

    private struct Scored {
        let start: Double
        let end: Double
        let scores: [Float]
    }

    private let classes: [String]
    private let threshold: Double
    private let minimumSeconds: Double
    /// The windows that may cover further moments, in the order of their starts, and so of their ends.
    private var windows: [Scored] = []
    /// Bounds of windows, ascending, that have not been passed, and the last one that has.
    private var bounds: [Double] = []
    private var last: Double?
    /// The bout that may go on.
    private var open: Bout?

    package init(classes: [String], threshold: Double, minimumSeconds: Double) {
        (self.classes, self.threshold, self.minimumSeconds) = (classes, threshold, minimumSeconds)
    }

    /// Takes the next window and returns the bouts that have ended before it.
    package mutating func add(_ window: ClipWindow, _ prediction: Prediction) -> [Bout] {
        let end = window.start + window.length
        windows.append(Scored(start: window.start, end: end, scores: prediction.scores))
        for bound in [window.start, end] { bounds.insert(bound, at: bounds.firstIndex { $0 > bound } ?? bounds.count) }
        // No later window has a bound before this one's start.
        return pass(upTo: window.start)
    }

    /// Returns the bouts that are left, after the last window.
    package mutating func finish() -> [Bout] { pass(upTo: .infinity) + close() }

    /// Decides about the moments up to the last bound that is at most `limit`.
    private mutating func pass(upTo limit: Double) -> [Bout] {
        let passed = Array(bounds.prefix { $0 <= limit })
        bounds.removeFirst(passed.count)
        var ended: [Bout] = []
        for bound in passed where bound - (last ?? -.infinity) > BoutMaker.tolerance {
            if let last { ended += take(from: last, to: bound) }
            last = bound
        }
        return ended
    }

    /// Decides about the moments between two neighbouring bounds; returns the bout that ends there.
    private mutating func take(from start: Double, to end: Double) -> [Bout] {
        let middle = (start + end) / 2
        windows.removeFirst(windows.prefix { $0.end <= middle }.count)
        var sums = [Double](repeating: 0, count: classes.count)
        var count = 0
        for window in windows.prefix(while: { $0.start < middle }) {
            for (place, score) in window.scores.enumerated() { sums[place] += Double(score) }
            count += 1
        }
        guard count > 0, let place = Scores.ranked(sums.map { Float($0 / Double(count)) }).first,
            case let score = Float(sums[place] / Double(count)), score >= Float(threshold)
        else { return close() }
        let label = classes[place]
        guard let before = open, before.label == label, start - before.end <= BoutMaker.tolerance else {
            defer { open = Bout(label: label, start: start, end: end, score: Double(score)) }
            return close()
        }
        let (old, new) = (before.end - before.start, end - start)
        open = Bout(label: label, start: before.start, end: end, score: (before.score * old + Double(score) * new) / (old + new))
        return []
    }

    /// Ends the open bout, if there is one, and returns it if it is long enough.
    private mutating func close() -> [Bout] {
        defer { open = nil }
        guard let open, open.end - open.start >= minimumSeconds - BoutMaker.tolerance else { return [] }
        return [open]
    }
}

extension Timeline {
    /// Where one class continues, in order (`BoutMaker`).
    package func bouts(threshold: Double, minimumSeconds: Double) -> [Bout] {
        var maker = BoutMaker(classes: classes, threshold: threshold, minimumSeconds: minimumSeconds)
        return windows.flatMap { maker.add($0, $1) } + maker.finish()
    }
}

extension [Bout] {
    /// The seconds of each label, longest first.
    package var seconds: [(label: String, seconds: Double)] {
        var sums: [String: Double] = [:]
        for bout in self { sums[bout.label, default: 0] += bout.end - bout.start }
        return sums.map { (label: $0.key, seconds: $0.value) }.sorted { (-$0.seconds, $0.label) < (-$1.seconds, $1.label) }
    }
}
