import VidSystem
import VidTrain

/// Clips of one kind that a report shows.
package struct ExampleGroup: Sendable {
    package enum Kind: String, Sendable, CaseIterable { case best, worst, doubtful }

    package let kind: Kind
    package let examples: [ClipExample]

    package init(kind: Kind, examples: [ClipExample]) {
        self.kind = kind
        self.examples = examples
    }
}

/// A clip with its scores and a picture of its frames.
package struct ClipExample: Sendable {
    /// A PNG picture with a description.
    package struct Picture: Sendable {
        package let png: [UInt8]
        package let width: Int
        package let height: Int
        package let description: String

        package init(png: [UInt8], width: Int, height: Int, description: String) {
            (self.png, self.width, self.height, self.description) = (png, width, height, description)
        }
    }

    /// The index among the evaluated clips, which are the lines of predictions.csv below its header.
    package let place: Int
    package let clip: String
    package let label: Int
    package let scores: [Float]
    /// Nil for vectors, which `remark` describes.
    package let picture: Result<Picture, VidclassError>?
    package let remark: String?

    package init(
        place: Int, clip: String, label: Int, scores: [Float], picture: Result<Picture, VidclassError>?,
        remark: String? = nil
    ) {
        (self.place, self.clip, self.label, self.scores, self.picture, self.remark) = (place, clip, label, scores, picture, remark)
    }

    /// The `count` classes of the highest scores, the first of equals first.
    package func ranked(_ count: Int) -> [Int] {
        Array(scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(count))
    }
}

/// Chooses the clips that a report shows.
package enum ExampleChoice {
    /// The most clips of each kind.
    package static let most = 3

    /// The indices of the chosen clips.
    ///
    /// - best: the right answers with the highest scores, of as many classes as possible.
    /// - worst: the wrong answers with the lowest scores of the true class.
    /// - doubtful: other clips with the closest two highest scores.
    package static func choose(_ clips: [ClipScores]) -> [(kind: ExampleGroup.Kind, places: [Int])] {
        let decisions = clips.map(\.decision)
        func own(_ place: Int) -> Float { clips[place].scores[clips[place].label] }
        let right = clips.indices.filter { decisions[$0] == clips[$0].label }.sorted { (own($1), $0) < (own($0), $1) }
        var seen: Set<Int> = []
        var best = Array(right.filter { seen.insert(clips[$0].label).inserted }.prefix(most))
        best += right.filter { !best.contains($0) }.prefix(most - best.count)
        let worst = clips.indices.filter { decisions[$0] != clips[$0].label }.sorted { (own($0), $0) < (own($1), $1) }.prefix(most)
        let shown = Set(best + worst)
        let doubtful = clips.indices.filter { !shown.contains($0) }.map { ($0, margin(clips[$0].scores)) }
            .filter { $0.1 < 0.5 }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(most).map(\.0)
        return [(.best, best), (.worst, Array(worst)), (.doubtful, doubtful)]
    }

    /// The difference of the two highest scores.
    private static func margin(_ scores: [Float]) -> Float {
        var (first, second) = (-Float.infinity, -Float.infinity)
        for score in scores {
            if score > first { (first, second) = (score, first) } else if score > second { second = score }
        }
        return scores.count > 1 ? first - second : 1
    }
}
