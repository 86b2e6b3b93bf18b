import Testing
import VidReport

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
