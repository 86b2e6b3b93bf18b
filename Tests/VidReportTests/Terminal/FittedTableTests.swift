import Testing
import VidReport

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

    @Test func coloursAndIndentation() {
        let columns = [
            FittedTable.Column("state", ["failed", "ok"], rank: 0, ink: { $0 == "failed" ? .red : nil }), .init("n", ["1"], rank: 0),
        ]
        let plain = FittedTable.text(columns, style: .plain, indent: 2)
        #expect(plain == "  state   n\n  failed  1\n  ok\n")
        let coloured = FittedTable.text(columns, style: OutputStyle(columns: 80, usesColor: true), indent: 2)
        #expect(coloured == "  \u{1B}[2mstate\u{1B}[0m   \u{1B}[2mn\u{1B}[0m\n  \u{1B}[31mfailed\u{1B}[0m  1\n  ok\n")
    }

    @Test func everyLineFitsWhileLeastWidthsDo() {
        for columns in 20...60 {
            for line in table(columns).split(separator: "\n") { #expect(String(line).columns <= columns, "\(columns): \(line)") }
        }
    }

    @Test func factsGoOnBelowThemselves() {
        let rows = [(name: "cpu", text: "one two three four"), (name: "memory", text: "16 GiB")]
        #expect(FittedTable.facts(rows, style: .plain) == "cpu     one two three four\nmemory  16 GiB\n")
        #expect(
            FittedTable.facts(rows, style: OutputStyle(columns: 20, usesColor: false))
                == "cpu     one two\n        three four\nmemory  16 GiB\n")
    }
}
