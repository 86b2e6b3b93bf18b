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

extension Timeline {
    /// Windows whose bounds are nearer than this, in seconds, touch: sums of decimal fractions are not exact.
    private static let tolerance = 1e-6

    /// Where one class continues, in order.
    ///
    /// At every moment each class has the mean of its scores in the windows that cover the moment. The class with the highest mean is there
    /// if that is at least `threshold`; of equal means the class that comes first counts. Moments of the same class that touch make a bout.
    /// Where no window is, or no class reaches the threshold, is none. Bouts shorter than `minimumSeconds` are left out; those beside them
    /// stay as they are.
    package func bouts(threshold: Double, minimumSeconds: Double) -> [Bout] {
        var bouts: [Bout] = []
        for stretch in stretches where stretch.score >= Float(threshold) {
            let label = classes[stretch.place]
            let seconds = stretch.end - stretch.start
            if let last = bouts.last, last.label == label, stretch.start - last.end <= Timeline.tolerance {
                let before = last.end - last.start
                let score = (last.score * before + Double(stretch.score) * seconds) / (before + seconds)
                bouts[bouts.count - 1] = Bout(label: label, start: last.start, end: stretch.end, score: score)
            } else {
                bouts.append(Bout(label: label, start: stretch.start, end: stretch.end, score: Double(stretch.score)))
            }
        }
        return bouts.filter { $0.end - $0.start >= minimumSeconds - Timeline.tolerance }
    }

    /// The best class, and the mean of its scores, between two neighbouring bounds of windows.
    private struct Stretch {
        let start: Double
        let end: Double
        let place: Int
        let score: Float
    }

    private var stretches: [Stretch] {
        let times = windows.map { (start: $0.window.start, end: $0.window.start + $0.window.length) }
        var bounds: [Double] = []
        for bound in times.flatMap({ [$0.start, $0.end] }).sorted() where bound - (bounds.last ?? -.infinity) > Timeline.tolerance {
            bounds.append(bound)
        }
        // Windows are in the order of their starts, and so of their ends.
        var first = 0
        return zip(bounds, bounds.dropFirst()).compactMap { start, end in
            let middle = (start + end) / 2
            while first < times.count, times[first].end <= middle { first += 1 }
            var sums = [Double](repeating: 0, count: classes.count)
            var count = 0
            for window in windows[first...].prefix(while: { $0.window.start < middle }) {
                for (place, score) in window.prediction.scores.enumerated() { sums[place] += Double(score) }
                count += 1
            }
            guard count > 0, let place = Scores.ranked(sums.map { Float($0 / Double(count)) }).first else { return nil }
            return Stretch(start: start, end: end, place: place, score: Float(sums[place] / Double(count)))
        }
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
