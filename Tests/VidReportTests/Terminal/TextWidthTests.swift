import Testing
import VidReport

@Suite struct TextWidthTests {
    @Test(arguments: [
        ("", 0), ("abc", 3), ("ü", 1), ("e\u{301}", 1), ("漢字", 4), ("한", 2), ("🐈", 2), ("❤️", 2), ("👩‍👩‍👧", 2), ("🇩🇪", 2), ("…━", 2),
    ])
    func columnsAreThoseOfATerminal(text: String, columns: Int) { #expect(text.columns == columns) }

    @Test func truncationKeepsTheBeginning() {
        #expect("abcdef".truncated(toColumns: 6) == "abcdef")
        #expect("abcdef".truncated(toColumns: 5) == "abcd…")
        #expect("漢字漢字".truncated(toColumns: 6) == "漢字…")
        for limit in 0...12 { #expect("a漢🐈字bcd".truncated(toColumns: limit).columns <= limit) }
    }

    @Test func shorteningKeepsTheEnd() {
        #expect("short.mp4".shortened(toColumns: 9) == "short.mp4")
        #expect("a/very/long/path/holiday.mp4".shortened(toColumns: 16) == "a/ver…oliday.mp4")
        #expect("漢字漢字漢字.mp4".shortened(toColumns: 11) == "漢…漢字.mp4")
    }

    @Test(arguments: 0...30) func shorteningKeepsWithinTheColumns(limit: Int) {
        for text in ["clips/👩‍👩‍👧 and 漢字/résumé.mp4", "", "x", "🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪🇩🇪"] {
            #expect(text.shortened(toColumns: limit).columns <= limit)
        }
    }
}
