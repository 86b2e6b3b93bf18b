import Testing
import VidReport

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

    @Test func countsAndLists() {
        #expect(Formatting.count(1, "clip") == "1 clip" && Formatting.count(0, "clip") == "0 clips")
        #expect(Formatting.count(1200, "class", "classes") == "1,200 classes")
        #expect(Formatting.list(["a", "b", "c"], atMost: 3) == "a, b, c")
        #expect(Formatting.list(["a", "b", "c"], atMost: 1) == "a and 2 more")
        #expect(Formatting.list([]) == "")
    }

    @Test func tablesAlignWideCharacters() {
        #expect(Formatting.table([["漢字", "1"], ["abc", "22"]], right: [1], indent: "") == "漢字   1\nabc   22\n")
    }

    @Test func tableCellsCanBePaintedWithoutMovingColumns() {
        let table = Formatting.table([["a", "b"], ["long", "c"]], indent: "") { row, column, cell in
            row == 1 && column == 0 ? "<\(cell)>" : cell
        }
        #expect(table == "a     b\n<long>  c\n")
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

    /// What can be pasted stays on one line.
    @Test func commandsAreNotBroken() {
        #expect(
            Formatting.wrapped("get them with `vidclass weights fetch vgg16`, or not", columns: 20)
                == "get them with\n  `vidclass weights fetch vgg16`,\n  or not")
        #expect(
            Formatting.wrapped("go on without by adding --set a.b=true here", columns: 20)
                == "go on without by\n  adding\n  --set a.b=true\n  here")
        #expect(Formatting.wrapped("a lone ` is no command at all", columns: 12) == "a lone ` is\n  no command\n  at all")
    }

    @Test(arguments: [
        (0.0, "0.0 s"), (0.44, "0.4 s"), (9.96, "10 s"), (34, "34 s"), (59.6, "1 min"), (325, "5 min 25 s"), (3600, "1 h"),
        (11045, "3 h 4 min"), (.nan, "?"), (1e300, "?"), (-1, "0.0 s"),
    ])
    func timesInSentences(seconds: Double, text: String) { #expect(Formatting.time(seconds) == text) }

    private static let texts = [
        "A sentence of ordinary words that has to be broken several times before it fits into a narrow terminal, as help texts do.",
        "漢字のクリップ 🐈🐈 と 日本語の 名前 が ある 長い 行 は 二倍の 幅 を 必要 と します 🎬🎬🎬 from data/clips 👩‍👩‍👧 and more words after it",
        "  clips       1,200 training + 300 validation from data in 8 classes: クライミング, cooking, dancing, 走る, sleeping, and others",
    ]

    /// Every line fits, is as full as it can be, and no word is lost or reordered.
    @Test(arguments: [50, 80], texts) func brokenLinesFitAndAreFull(columns: Int, text: String) {
        for indent in [nil, 0, 6] {
            let lines = Formatting.wrapped(text, columns: columns, indent: indent).split(separator: "\n").map(String.init)
            let spaces = indent ?? (text.hasPrefix("  ") ? 14 : 2)
            #expect(lines.count > 1)
            for (line, next) in zip(lines, lines.dropFirst()) {
                #expect(line.columns <= columns && line.last != " ")
                let word = next.split(separator: " ").first.map(String.init) ?? ""
                #expect(line.columns + 1 + word.columns > columns, "\(word) fits behind \(line)")
                #expect(next.prefix { $0 == " " }.count == spaces)
            }
            let words = lines.joined(separator: " ").split(separator: " ")
            #expect(words == text.split(separator: " "))
        }
    }

    @Test func paragraphsEndTheirLine() {
        #expect(Terminal.paragraph("note: one two three", indent: 6, columns: 13) == "note: one two\n      three\n")
        #expect(Terminal.paragraph("", indent: 2, columns: 5) == "\n")
    }
}
