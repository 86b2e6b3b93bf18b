import Testing
import VidReport

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

    @Test(arguments: [(0, 10, 0), (1, 3, 33), (999, 1000, 99), (10, 10, 100), (12, 10, 100), (0, 0, 0)])
    func percentIsRoundedDown(done: Int, total: Int, percent: Int) {
        #expect(ProgressBar.line("x", done: done, total: total, details: [], width: 20, color: false).hasSuffix("  \(percent) %"))
    }
}
