import Testing
import VidReport

@Suite struct MiddleCutTests {
    @Test func theEndIsKept() {
        #expect("short.mp4".shortened(toColumns: 9) == "short.mp4")
        #expect("a/very/long/path/holiday.mp4".shortened(toColumns: 16) == "a/ver…oliday.mp4")
        #expect("漢字漢字漢字.mp4".shortened(toColumns: 11) == "漢…漢字.mp4")
    }

    @Test(arguments: 0...30) func itKeepsWithinTheColumns(limit: Int) {
        for text in ["clips/👩‍👩‍👧 and 漢字/résumé.mp4", "", "x", "🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪"] {
            #expect(text.shortened(toColumns: limit).columns <= limit)
        }
    }
}

@Suite struct ScoreBarTests {
    @Test(arguments: [(0.0, ""), (1, "████"), (0.5, "██"), (0.0001, "▏"), (0.28, "█▏"), (.nan, ""), (7, "████")])
    func eighthsOfAColumn(share: Double, bar: String) { #expect(ScoreBar.text(share, columns: 4) == bar) }

    @Test func sparklines() {
        #expect(Sparkline.text([0, 0.5, 1], in: 0...1, columns: 10) == "▁▅█")
        #expect(Sparkline.text([0, 0, 1, 1], in: 0...1, columns: 2) == "▁█")
        #expect(Sparkline.text([.nan, 1], in: 0...1, columns: 2) == " █")
        #expect(Sparkline.text([3, 3], in: 3...3, columns: 2) == "▅▅")
        #expect(Sparkline.text([], in: 0...1, columns: 2) == "")
    }
}

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
        #expect(PredictionText.decision([("a", 0.55), ("b", 0.3)]) == "rather a (55 %) than b (30 %)")
        #expect(PredictionText.decision([("a", 0.41), ("b", 0.38)]) == "not sure: a 41 %, b 38 %")
        #expect(PredictionText.decision([("a", 0.9996), ("b", 0.0004)]) == "looks like a (over 99 %, well ahead)")
        #expect(PredictionText.decision([("a", 1)]) == "a, the only class there is")
        #expect(PredictionText.decision([("a", .nan), ("b", .nan)]).contains("no numbers"))
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

@Suite struct FittedTableTests {
    private func table(_ columns: Int?) -> String {
        FittedTable.text(
            [
                .init("run", ["train", "漢字"], rank: 0, isFlexible: true), .init("n", ["1", "22"], isRight: true, rank: 1),
                .init("data", ["videos/of/many/things", "x"], rank: 2, isFlexible: true), .init("none", ["", ""], rank: 3),
            ], style: OutputStyle(columns: columns, usesColor: false))
    }

    @Test func everythingWhereThereIsRoom() {
        #expect(table(nil) == "run     n  data\ntrain   1  videos/of/many/things\n漢字   22  x\n")
        #expect(table(80) == table(nil))
    }

    @Test func narrowTerminalsShortenThenLeaveOut() {
        #expect(table(30) == "run     n  data\ntrain   1  videos…/many/things\n漢字   22  x\n")
        #expect(table(24) == "run     n\ntrain   1\n漢字   22\n")
        #expect(table(12) == "run     n\ntrain   1\n漢字   22\n")
    }
}
