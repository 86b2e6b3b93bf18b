import Testing
import VidReport

@Suite struct MarkupTests {
    @Test(arguments: [
        ("a & b", "a &amp; b"), ("<b>\"x\"</b>", "&lt;b&gt;&quot;x&quot;&lt;/b&gt;"), ("it's", "it&#39;s"), ("漢字 🐈", "漢字 🐈"),
        ("\u{FFFE}", "\u{FFFD}"), ("", ""),
    ])
    func textIsEscaped(text: String, escaped: String) { #expect(Markup.escaped(text) == escaped) }

    /// No character, noncharacters included, ends an element or an attribute.
    @Test func everyCharacterStaysText() {
        for scalar in (UInt32(0)..<0x1_1000).compactMap(Unicode.Scalar.init) {
            let escaped = Markup.escaped("a\(Character(scalar))b").unicodeScalars
            #expect(!escaped.contains { $0.value < 0x20 || $0 == "<" || $0 == ">" || $0 == "\"" || $0 == "'" || $0.value == 0xFDD0 })
        }
    }

    @Test(arguments: [(1, "1"), (1.5, "1.5"), (1.256, "1.26"), (-0.001, "0"), (100, "100"), (0.10, "0.1")])
    func coordinatesAreShort(value: Double, text: String) { #expect(Markup.number(value) == text) }
}
