import Testing
import VidConfig
import VidReport
import VidTrain

@Suite struct EpochLineTests {
    private func text(
        _ columns: Int, isBest: Bool = true, validation: ValidationMetrics? = .init([.validationLoss: 0.1903, .validationAccuracy: 0.95])
    ) -> String {
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
        #expect(text(70) == "epoch  3/20  loss 0.224 acc 0.931  val 0.190 acc 0.950  best 0:42")
        #expect(text(40) == " 3/20  0.224 0.931  0.190 0.950 *")
        #expect(text(49) == " 3/20  loss 0.224 0.931  val 0.190 0.950 * 0:42")
        #expect(text(30) == " 3/20 0.931 0.950*")
    }

    @Test(arguments: 1...90) func itNeverWraps(columns: Int) {
        for isBest in [true, false] { #expect(text(columns, isBest: isBest).columns <= columns) }
    }

    @Test func onlyTheMarkOfABestEpochIsColoured() {
        let record = EpochRecord(epoch: 1, seconds: 1, trainLoss: 1, trainAccuracy: 1, validation: nil, learningRate: 0.1)
        func text(_ color: Bool) -> String { EpochLine(record, isBest: true, epochs: 1).text(columns: 60, color: color) }
        #expect(text(true) == text(false).replacing("  best", with: "\u{1B}[1;32m  best\u{1B}[0m"))
    }
}
