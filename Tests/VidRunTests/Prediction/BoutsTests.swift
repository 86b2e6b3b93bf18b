import Testing
import VidData
import VidRun

/// Bouts from windows, compared with values that were computed by hand.
@Suite struct BoutsTests {
    /// Windows of `length` seconds every `stride` with the score of "a"; "b" has the rest.
    private func timeline(length: Double, stride: Double, _ scores: [Float], end: Double? = nil) -> Timeline {
        let windows = scores.enumerated().map { number, score in
            let start = Double(number) * stride
            let window = ClipWindow(start: start, length: min(length, (end ?? .infinity) - start))
            return (window, Prediction(input: "x", classes: ["a", "b"], scores: [score, 1 - score], top: 1, familiarity: nil))
        }
        return Timeline(input: "x", classes: ["a", "b"], windows: windows)
    }

    private func expect(
        _ bouts: [Bout], _ expected: [(String, Double, Double, Double)], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(bouts.map(\.label) == expected.map(\.0), sourceLocation: sourceLocation)
        for (bout, expected) in zip(bouts, expected) {
            let error = max(abs(bout.start - expected.1), abs(bout.end - expected.2), abs(bout.score - expected.3))
            #expect(error <= 1e-6, "\(bout)", sourceLocation: sourceLocation)
        }
    }

    @Test func windowsThatTouch() {
        let windows = timeline(length: 2, stride: 2, [0.9, 0.7, 0.2, 0.45, 0.6], end: 9)
        // b: (2 x 0.8 + 2 x 0.55) / 4.
        expect(
            windows.bouts(threshold: 0.5, minimumSeconds: 0), [("a", 0, 4, 0.8), ("b", 4, 8, 0.675), ("a", 8, 9, 0.6)])
        // A class below the threshold ends a bout.
        expect(windows.bouts(threshold: 0.65, minimumSeconds: 0), [("a", 0, 4, 0.8), ("b", 4, 6, 0.8)])
        // What is left out leaves its neighbours alone.
        expect(windows.bouts(threshold: 0.5, minimumSeconds: 2), [("a", 0, 4, 0.8), ("b", 4, 8, 0.675)])
        expect(windows.bouts(threshold: 0.95, minimumSeconds: 0), [])
        let sums = windows.bouts(threshold: 0.5, minimumSeconds: 0).seconds
        #expect(sums.map(\.label) == ["a", "b"] && sums.map(\.seconds) == [5, 4])
    }

    /// Windows of 4 s every 2 s. The means of a: 0.9 in 0..2, 0.6 in 2..4, 0.25 in 4..6, 0.5 in 6..8, 0.8 in 8..10.
    @Test func windowsThatOverlap() {
        let windows = timeline(length: 4, stride: 2, [0.9, 0.3, 0.2, 0.8])
        expect(
            windows.bouts(threshold: 0.5, minimumSeconds: 0),
            [("a", 0, 4, (0.9 + 0.6) / 2), ("b", 4, 6, 0.75), ("a", 6, 10, (0.5 + 0.8) / 2)])
        expect(windows.bouts(threshold: 0.7, minimumSeconds: 0), [("a", 0, 2, 0.9), ("b", 4, 6, 0.75), ("a", 8, 10, 0.8)])
    }

    /// Between windows is nothing, and bouts of the same class on both sides stay apart.
    @Test func gapsEndBouts() {
        let windows = timeline(length: 1, stride: 3, [0.9, 0.8])
        expect(windows.bouts(threshold: 0.5, minimumSeconds: 0), [("a", 0, 1, 0.9), ("a", 3, 4, 0.8)])
    }

    /// Bounds that differ by rounding errors are one: 0.1 x 3 is not 0.2 + 0.1.
    @Test func roundingErrorsMakeNoBouts() {
        let windows = timeline(length: 0.1, stride: 0.1, [Float](repeating: 0.75, count: 40))
        expect(windows.bouts(threshold: 0.75, minimumSeconds: 4), [("a", 0, 4, 0.75)])
    }

    /// Each bout comes when the first window after it does, not at the end.
    @Test func boutsComeWhenTheyHaveEnded() {
        let windows = timeline(length: 4, stride: 2, [0.9, 0.3, 0.2, 0.8, 0.1, 0.1])
        var maker = BoutMaker(classes: ["a", "b"], threshold: 0.7, minimumSeconds: 0)
        let ended = windows.windows.map { maker.add($0, $1).count }
        #expect(ended == [0, 0, 1, 0, 1, 0])
        expect(maker.finish(), [("b", 10, 14, 0.9)])
        expect(windows.bouts(threshold: 0.7, minimumSeconds: 0), [("a", 0, 2, 0.9), ("b", 4, 6, 0.75), ("b", 10, 14, 0.9)])
    }
}
