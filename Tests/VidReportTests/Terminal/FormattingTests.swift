import Testing
import VidReport
import VidTrain

@Suite struct FormattingTests {
    @Test(arguments: [
        (0.12345, 3, "0.123"), (0.9996, 3, "1.000"), (-0.0001, 2, "0.00"), (-1.5, 1, "-1.5"), (12, 0, "12"), (1e20, 2, "1e+20"),
        (.nan, 2, "nan"), (.infinity, 2, "inf"), (-.infinity, 2, "-inf"),
    ])
    func fixed(value: Double, digits: Int, text: String) {
        #expect(Formatting.fixed(value, digits) == text)
    }

    @Test(arguments: [(0.4, "0:00"), (8, "0:08"), (754, "12:34"), (11045, "3:04:05"), (.infinity, "?"), (.nan, "?"), (-3, "0:00")])
    func duration(seconds: Double, text: String) {
        #expect(Formatting.duration(seconds) == text)
    }

    @Test(arguments: [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 << 20, "3.0 MiB"), (5 << 29, "2.5 GiB")])
    func bytes(count: Int, text: String) {
        #expect(Formatting.bytes(count) == text)
    }

    @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (14_714_688, "14,714,688"), (-12345, "-12,345")])
    func grouped(value: Int, text: String) {
        #expect(Formatting.grouped(value) == text)
    }

    @Test func tablePadsColumnsAndAlignsNumbers() {
        let table = Formatting.table([["name", "n"], ["a", "100"], ["long name", "7"]], right: [1])
        #expect(table == "  name         n\n  a          100\n  long name    7\n")
    }
}

@Suite struct TextWidthTests {
    @Test(arguments: [
        ("", 0), ("abc", 3), ("ü", 1), ("e\u{301}", 1), ("漢字", 4), ("한", 2), ("🐈", 2), ("❤️", 2), ("👩‍👩‍👧", 2), ("🇩🇪", 2), ("…━", 2),
    ])
    func columnsAreThoseOfATerminal(text: String, columns: Int) { #expect(text.columns == columns) }

    @Test func aCutTextKeepsWithinItsColumns() {
        #expect("abcdef".cut(toColumns: 6) == "abcdef")
        #expect("abcdef".cut(toColumns: 5) == "abcd…")
        #expect("漢字漢字".cut(toColumns: 6) == "漢字…")
        for limit in 0...12 { #expect("a漢🐈字bcd".cut(toColumns: limit).columns <= limit) }
    }

    @Test func longLinesAreBrokenBelowTheirSecondColumn() {
        let text = "  clips       80 training + 16 validation from data\nshort\n"
        #expect(Formatting.wrapped(text, columns: 60) == text)
        #expect(
            Formatting.wrapped(text, columns: 32)
                == "  clips       80 training + 16\n              validation from\n              data\nshort\n")
        #expect(Formatting.wrapped("a note without a table in it", columns: 12) == "a note\n  without a\n  table in\n  it")
        #expect(Formatting.wrapped("unbreakable/path/of/a/file", columns: 10) == "unbreakable/path/of/a/file")
    }

    @Test func tablesAlignWideCharacters() {
        #expect(Formatting.table([["漢字", "1"], ["abc", "22"]], right: [1], indent: "") == "漢字   1\nabc   22\n")
    }
}

@Suite struct ProgressBarTests {
    private static let details: [ProgressBar.Detail] = [
        .init("loss 0.1234", rank: 0), .init("acc 0.987", rank: 2), .init("120.5 clips/s", rank: 3),
        .init("0:42 left, 1:20:00 in all", short: "0:42/1:20:00", rank: 1),
    ]

    private func line(_ width: Int, label: String = "epoch 10/20", color: Bool = false) -> String {
        ProgressBar.line(label, done: 5, total: 10, details: Self.details, width: width, color: color)
    }

    @Test func detailsGiveWayToTheWidth() {
        let bar = String(repeating: "━", count: 15) + String(repeating: "─", count: 15)
        #expect(line(130) == "epoch 10/20  " + bar + "   50 %  loss 0.1234  acc 0.987  120.5 clips/s  0:42 left, 1:20:00 in all")
        #expect(line(80).hasSuffix("──   50 %  loss 0.1234  acc 0.987  120.5 clips/s  0:42/1:20:00") || line(80).contains("acc 0.987"))
        #expect(line(50) == "epoch 10/20  50 %  loss 0.1234  0:42/1:20:00")
        #expect(line(20) == "epoch 10/20  50 %")
    }

    @Test(arguments: 1...140)
    func lineNeverWrapsARow(width: Int) {
        #expect(line(width).columns < max(width, 1))
        #expect(line(width, label: "クラス 🐈").columns < max(width, 1))
    }

    @Test func coloursTakeNoColumns() {
        let colored = line(100, color: true)
        #expect(colored.contains("\u{1B}[36m"))
        #expect(colored.replacing("\u{1B}[36m", with: "").replacing("\u{1B}[0;2m", with: "").replacing("\u{1B}[0m", with: "") == line(100))
    }
}

@Suite struct EpochLineTests {
    private func text(_ columns: Int, isBest: Bool = true, validation: ValidationMetrics? = .init(loss: 0.1903, accuracy: 0.95)) -> String {
        EpochLine(
            EpochRecord(epoch: 3, seconds: 42, trainLoss: 0.2241, trainAccuracy: 0.931, validation: validation, learningRate: 0.002),
            isBest: isBest, epochs: 20
        ).text(columns: columns, color: false)
    }

    @Test func itIsAsLongAsThereIsRoom() {
        #expect(text(.max) == "epoch  3/20  loss 0.2241  acc 0.931  val loss 0.1903  val acc 0.950  best  0:42")
        #expect(text(.max, isBest: false) == "epoch  3/20  loss 0.2241  acc 0.931  val loss 0.1903  val acc 0.950        0:42")
        #expect(text(.max, validation: nil) == "epoch  3/20  loss 0.2241  acc 0.931  best  0:42")
        #expect(text(79) == text(.max))
        #expect(text(49) == " 3/20  loss 0.224 0.931  val 0.190 0.950 * 0:42")
        #expect(text(30) == " 3/20 0.931 0.950*")
    }

    @Test(arguments: 1...90) func itNeverWraps(columns: Int) {
        for isBest in [true, false] { #expect(text(columns, isBest: isBest).columns <= columns) }
    }
}
