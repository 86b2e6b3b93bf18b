import Testing
import VidReport

@Suite struct PredictionTextTests {
    private static let sure: [(label: String, score: Float)] = [("climbing", 0.93), ("cooking", 0.05), ("sleeping", 0.02)]

    private func text(_ ranked: [(label: String, score: Float)], _ style: OutputStyle = .plain, name: String = "a.mp4") -> String {
        PredictionText.text(name, ranked: ranked, decision: PredictionText.decision(ranked), style: style)
    }

    @Test func itIsRead() {
        #expect(
            text(Self.sure) == """
                a.mp4
                  looks like climbing (93 %, well ahead)
                  climbing  93.0 %  ██████████████████▋
                  cooking    5.0 %  █
                  sleeping   2.0 %  ▍

                """)
    }

    @Test func theWordsFollowTheMargin() {
        #expect(PredictionText.decision([("a", 0.55), ("b", 0.3)]) == "probably a (55 %), possibly b (30 %)")
        #expect(PredictionText.decision([("a", 0.41), ("b", 0.38)]) == "not sure: a (41 %) or b (38 %)")
        #expect(PredictionText.decision([("a", 0.9996), ("b", 0.0004)]) == "looks like a (over 99 %, well ahead)")
        #expect(PredictionText.decision([("a", 1)]) == "a (the model knows no other class)")
        #expect(PredictionText.decision([("a", .nan), ("b", .nan)]).contains("not numbers"))
    }

    /// The margins are 0.5 and 0.2.
    @Test(
        arguments: [
            (0.75, 0.25, "looks like"), (0.74, 0.25, "probably"), (0.5, 0.25, "probably"), (0.44, 0.25, "not sure"), (0.5, 0.5, "not sure"),
        ] as [(Float, Float, String)])
    func marginsDecide(best: Float, next: Float, words: String) {
        #expect(PredictionText.decision([("a", best), ("b", next)]).hasPrefix(words))
    }

    @Test func scoresAreNeverRoundedToCertainty() {
        let text = text([("a", 0.99996), ("b", 0.00004), ("c", 0)])
        #expect(text.contains(">99.9 %") && text.contains("<0.1 %") && text.contains(" 0.0 %") && !text.contains("100"))
        #expect(PredictionText.decision([("a", 1), ("b", 0)]) == "looks like a (100 %, well ahead)")
    }

    @Test(arguments: 20...90) func linesKeepWithinTheTerminal(columns: Int) {
        let long = "a class with a very long name of 漢字 and 🐈 that goes on"
        let ranked: [(label: String, score: Float)] = [(long, 0.5), (long + " 2", 0.3), ("b", 0.2)]
        let style = OutputStyle(columns: columns, usesColor: false)
        let text = text(ranked, style, name: "folder/of/clips/with/a/long/name/and a 🎬.mp4")
        for line in text.split(separator: "\n") { #expect(String(line).columns <= columns, "\(line)") }
        #expect(text.split(separator: "\n").count == 5)
    }

    @Test func coloursOnlyWhereTheyAreAskedFor() {
        #expect(!text(Self.sure).contains("\u{1B}"))
        #expect(text(Self.sure, OutputStyle(columns: 80, usesColor: true)).contains("\u{1B}[32m"))
    }
}
