import VidTrain

/// Which clips a report shows.
package enum ExampleChoice {
    /// Clips of each kind.
    package static let most = 3

    /// Places of the clips among `clips`:
    /// best, the right decisions with the highest scores, as many classes as there are before one comes again; worst, those whose true class has the
    /// lowest score among the wrong decisions; doubtful, those whose two highest scores are closest to each other and that are not shown yet.
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

    /// The distance of the two highest scores.
    private static func margin(_ scores: [Float]) -> Float {
        var (first, second) = (-Float.infinity, -Float.infinity)
        for score in scores {
            if score > first { (first, second) = (score, first) } else if score > second { second = score }
        }
        return scores.count > 1 ? first - second : 1
    }
}
