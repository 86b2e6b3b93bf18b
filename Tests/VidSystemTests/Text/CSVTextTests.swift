import Testing
import VidSystem

@Suite struct CSVTextTests {
    @Test(arguments: [
        ("", ""), ("a b", "a b"), ("a;b", "a;b"), ("a,b", #""a,b""#), (#"a"b"#, #""a""b""#), (#"""#, #""""""#), ("a\nb", "\"a\nb\""),
        ("a\rb", "\"a\rb\""), ("\u{FEFF}a", "\"\u{FEFF}a\""), ("a\u{FEFF}", "a\u{FEFF}"), ("a,\u{301}b", "\"a,\u{301}b\""),
    ])
    func fields(_ text: String, _ field: String) { #expect(CSVText.field(text).hasSameBytes(as: field)) }

    @Test func lines() {
        #expect(CSVText.line(["a", "b,c", ""]) == "a,\"b,c\",\n")
        #expect(CSVText.line([]) == "\n")
    }

    @Test(arguments: [
        ("=1+1.bin", "'=1+1.bin"), ("+a", "'+a"), ("-rf", "'-rf"), ("@SUM(A1)", "'@SUM(A1)"), ("\tx", "'\tx"), ("\rx", "'\rx"),
        ("\nx", "'\nx"), ("\u{FF1D}1", "'\u{FF1D}1"), ("=\u{301}", "'=\u{301}"), ("'=1", "''=1"), ("''-a", "'''-a"),
        ("+1", "'+1"), ("-1+1", "'-1+1"),
        // Numbers and texts that are no formulas.
        ("-1", "-1"), ("-0.5e-3", "-0.5e-3"), ("", ""), ("'", "'"), ("'a", "'a"), ("a=1", "a=1"), (" =1", " =1"), ("é", "é"), ("-", "-"),
        ("'=", "'="),
    ])
    func cellsThatNoSpreadsheetRuns(_ text: String, _ cell: String) {
        #expect(CSVText.cell(text).hasSameBytes(as: cell))
        #expect(CSVText.text(ofCell: cell).hasSameBytes(as: text))
    }

    /// A table of an earlier version has such texts as they are.
    @Test func oldCellsReadAsTheyAre() {
        for text in ["=1+1.bin", "-rf", "@a", "\tx"] { #expect(CSVText.text(ofCell: text) == text) }
    }
}

@Suite struct DecimalTextTests {
    @Test(arguments: [("0", 0.0), ("-0", -0.0), ("1.5e-3", 0.0015), ("1E5", 1e5), (".5", 0.5), ("1e-400", 0)]) func decimals(
        text: String, number: Double
    ) { #expect(DecimalText.number(text) == number) }

    @Test(arguments: [
        "", "+1", "1e400", "-1e400", "nan", "NaN", "inf", "-inf", "infinity", "0x10", "0x1p3", "1_000", "1,5", " 1", "1 ", "1\0", "1e",
        "--1", "१",
    ])
    func textsThatAreNoDecimals(text: String) { #expect(DecimalText.number(text) == nil && DecimalText.whole(text) == nil) }

    @Test func wholeNumbers() {
        #expect(DecimalText.whole("0") == 0 && DecimalText.whole("9223372036854775807") == .max)
        for text in ["00", "01", "-1", "+1", "1.0", "1e3", "9223372036854775808"] { #expect(DecimalText.whole(text) == nil, "\(text)") }
    }
}
