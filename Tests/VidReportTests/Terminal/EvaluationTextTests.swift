import Testing
import VidReport
import VidTrain

@Suite struct EvaluationTextTests {
    private func text(_ evaluation: Evaluation, width: Int = 80) -> String {
        EvaluationText.text(evaluation, EvaluationMetrics(evaluation), width: width)
    }

    @Test func smallEvaluation() {
        let evaluation = SampleReports.evaluation(["up", "down"], confusion: [[3, 1], [0, 2]])
        #expect(
            text(evaluation) == """
                accuracy 0.8333 (95 % interval: 0.436 to 0.970)   loss 0.5000   6 clips
                expected calibration error 0.0333
                Always guessing "up" would be right 67 % of the time.

                  class  clips  precision  recall     f1  recall (95 %)
                  up         4      1.000   0.750  0.857   0.30 to 0.95
                  down       2      0.667   1.000  0.800   0.34 to 1.00

                  true \\ answer  1  2
                  1 up           3  1
                  2 down         .  2

                Most often confused
                  1 of 4 "up" clips was classified as "down"

                """)
    }

    @Test func topFiveOnlyForMoreThanFiveClasses() {
        let five = SampleReports.evaluation(["a", "b", "c", "d", "e"], confusion: SampleReports.diagonal(5, 2))
        let six = SampleReports.evaluation(["a", "b", "c", "d", "e", "f"], confusion: SampleReports.diagonal(6, 2))
        #expect(!text(five).contains("top-5"))
        #expect(text(six).contains("top-5 accuracy 1.0000   expected"))
        #expect(!text(six).contains("Most often confused"))
    }

    @Test(arguments: [60, 61, 70, 80, 100, 200]) func linesKeepWithinTheTerminal(width: Int) {
        let classes = (0..<9).map { "a class number \($0) with a long name of 漢字 and 🐈" }
        var confusion = SampleReports.diagonal(9, 4)
        confusion[2][3] = 7
        let text = text(SampleReports.evaluation(classes, confusion: confusion), width: width)
        for line in text.split(separator: "\n") { #expect(String(line).columns <= width, "\(line)") }
        #expect(text.contains("recall (95 %)") == (width >= 61))
        #expect(text.contains("7 of 11 \"a"))
    }

    @Test func aMatrixThatIsTooWideIsLeftOut() {
        let evaluation = SampleReports.evaluation((0..<30).map { "c\($0)" }, confusion: SampleReports.diagonal(30, 1))
        #expect(text(evaluation).contains("The confusion matrix of 30 classes is wider than this terminal"))
        #expect(text(evaluation, width: 200).contains("true \\ answer"))
    }
}
