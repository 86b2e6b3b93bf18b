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
}

@Suite struct ProgressBarTests {
    @Test func lineShowsShareAndDetail() {
        let line = ProgressBar.line("epoch 1/2", done: 5, total: 10, detail: "loss 0.5", width: 80, color: false)
        #expect(line == "epoch 1/2  " + String(repeating: "━", count: 15) + String(repeating: "─", count: 15) + "   50 %  loss 0.5")
    }

    @Test(arguments: 1...120)
    func lineNeverWrapsARow(width: Int) {
        let line = ProgressBar.line(
            "epoch 10/20", done: 3, total: 7, detail: "loss 0.1234  accuracy 0.987  0:42 left", width: width, color: false)
        #expect(line.count < max(width, 1))
    }
}
