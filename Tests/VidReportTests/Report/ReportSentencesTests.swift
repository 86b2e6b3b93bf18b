import Testing
import VidConfig
import VidReport
import VidTrain

/// Each sentence of a report stands only where it is true.
@Suite struct ReportSentencesTests {
    private func report(
        _ confusion: [[Int]] = [[8, 2], [3, 7]], score: Float = 0.8, split: EvaluatedSplit = .test, epochs: Int = 4,
        change: (inout RunRecord) -> Void = { _ in }
    ) throws -> RunReport {
        let classes = confusion.indices.map { ["up", "down", "left", "right"][$0] }
        var report = try SampleReports.report(SampleReports.evaluation(classes, confusion: confusion, score: score), split: split)
        var record = try #require(report.story?.record)
        change(&record)
        let curve = (1...max(epochs, 1)).map {
            EpochRecord(
                epoch: $0, seconds: 1, trainLoss: 1, trainAccuracy: 0.9, validation: .init([.validationLoss: 1, .validationAccuracy: 0.6]),
                learningRate: 0.1)
        }
        report.story = RunStory(folder: "runs/train", epochs: Array(curve.prefix(epochs)), record: record, plannedEpochs: 4)
        report.data = try SampleReports.data(classes, train: classes.map { _ in 10 }, pairs: 0)
        return report
    }

    private func guessing(_ confusion: [[Int]]) throws -> String { ReportSentences(try report(confusion)).guessing }

    @Test func theComparisonWithGuessing() throws {
        #expect(try guessing([[90, 10], [10, 40]]).contains("“<bdi>up</bdi>”, the most frequent class here, would be right"))
        #expect(try guessing([[90, 10], [10, 40]]).hasSuffix("the model does clearly better."))
        #expect(try guessing([[8, 2], [2, 8]]).contains("one of the most frequent classes here"))
        #expect(try guessing([[3, 3], [2, 4]]).contains("does better, but the difference may be chance"))
        #expect(try guessing([[3, 3], [4, 2]]).contains("does worse, but the difference may be chance"))
        #expect(try guessing([[6, 0], [6, 0]]).contains("the model does no better"))
        #expect(try guessing([[0, 60], [60, 0]]).contains("the model does clearly worse"))
        #expect(try guessing([[5, 3], [0, 0]]).hasPrefix("All of these clips are of the class “<bdi>up</bdi>”"))
        #expect(try guessing([[0, 0], [0, 1]]).hasPrefix("The only clip is of the class “<bdi>down</bdi>”"))
        #expect(try guessing([[0, 0], [0, 0]]) == "")
    }

    @Test func theOriginOfTheClips() throws {
        func origin(_ split: EvaluatedSplit, isNow: Bool = false, epochs: Int = 4, monitor: String = "val_loss") throws -> String {
            var report = try report(split: split, epochs: epochs) { $0.monitor = monitor }
            if isNow { report.evaluatedData = report.data }
            return ReportSentences(report).origin
        }
        #expect(try origin(.test).contains("neither for training nor for choosing the best epoch"))
        #expect(try origin(.test, isNow: true).contains("as it is split now. If the data has not changed"))
        #expect(try origin(.validation).contains("they chose the best epoch, so the metrics may be <strong>slightly too optimistic"))
        #expect(try origin(.validation, isNow: true).contains("as it is split now. If the data has not changed"))
        for text in [try origin(.validation, epochs: 1), try origin(.validation, monitor: "loss")] {
            #expect(text.contains("they did not choose its epoch") && !text.contains("optimistic"))
        }
        #expect(try origin(.training).contains("because no others were held out"))
        #expect(try origin(.training).contains("nothing about new clips"))
        #expect(try origin(.all).contains("all splits"))
        #expect(try origin(.other).contains("The clips are from"))
        var heldOut = try report(split: .training)
        heldOut.data = try SampleReports.data(["up", "down"], train: [10, 10], validation: [5, 5], pairs: 0)
        #expect(!ReportSentences(heldOut).origin.contains("no others"))
        heldOut.unknownClips = 1
        #expect(ReportSentences(heldOut).origin.hasSuffix("1 clip was left out because the model does not know the label."))
    }

    @Test func theCourseOfTheTraining() throws {
        func course(
            epochs: Int = 4, _ reason: String?, _ state: RunRecord.State = .finished, best: Int? = 2, split: EvaluatedSplit = .test,
            monitor: String? = "val_loss"
        ) throws -> String {
            ReportSentences(
                try report(split: split, epochs: epochs) {
                    ($0.stopReason, $0.state, $0.bestEpoch, $0.monitor, $0.bestValue) = (reason, state, best, monitor, 0.5)
                }
            ).course
        }
        #expect(
            try course("epochs").hasPrefix("The training finished all 4 epochs. The best epoch was 2, by <code>val_loss</code> (0.5000)."))
        #expect(
            try course(epochs: 2, "early_stopping").contains(
                "stopped after 2 epochs of 4 because <code>val_loss</code> no longer improved."))
        #expect(try course(epochs: 2, "early_stopping", monitor: nil).contains("because there was no further improvement."))
        #expect(try course(epochs: 2, "target").contains("stopped after 2 epochs of 4 because it reached its target."))
        #expect(try course(epochs: 2, "max_minutes").contains("because its time was up."))
        #expect(try course(epochs: 2, "signal", .interrupted).contains("was interrupted after 2 epochs of 4."))
        #expect(try course(epochs: 2, nil, .failed).contains("failed after 2 epochs of 4."))
        #expect(try course(epochs: 2, nil, .running).contains("has not finished; it has run for 2 epochs of 4."))
        // With one epoch there is no best one.
        let one = try course(epochs: 1, "target", best: 1)
        #expect(one.contains("stopped after 1 epoch of 4") && !one.contains("best epoch") && one.contains("the weights of that epoch"))
        #expect(try course(epochs: 0, "epochs") == "")
        // Weights other than the best epoch's.
        #expect(try course("epochs", best: nil).hasSuffix("The model of this report has the weights in <bdi dir=\"ltr\">up</bdi>."))
        #expect(try course("epochs", split: .training, monitor: "loss").contains("they differ from those of this report"))
        #expect(try !course("epochs", split: .training).contains("they differ from those of this report"))
    }

    @Test func theVerdictOnTheScores() throws {
        func calibration(_ confusion: [[Int]], _ score: Float) throws -> String {
            ReportSentences(try report(confusion, score: score)).calibration
        }
        #expect(try calibration([[10, 10], [10, 10]], 0.95).contains("<strong>overconfident</strong>"))
        #expect(try calibration([[50, 0], [0, 50]], 0.6).contains("<strong>underconfident</strong>"))
        #expect(try calibration([[15, 0], [0, 15]], 0.998).contains("on average, the scores are about right"))
        #expect(try calibration([[2, 1], [1, 2]], 0.8).contains("the difference may be chance"))
        // 30 right answers of 0.998: off by 0.2 %; a binomial of 30 clips has a mean deviation of 2 · 30 · 0.998^30 · 0.002 / 30 = 0.377 %.
        let perfect = try calibration([[15, 0], [0, 15]], 0.998)
        #expect(perfect.contains(">0.2\u{A0}%</data> on average") && perfect.contains("about <data"))
        #expect(perfect.contains(">0.4\u{A0}%</data> by chance"))
    }

    @Test func chanceAloneMiscalibrates() throws {
        func error(_ confusion: [[Int]], _ score: Float) -> Double {
            EvaluationMetrics(SampleReports.evaluation(["up", "down"], confusion: confusion, score: score)).calibrationErrorByChance
        }
        // E|K / 4 - 3/4| of K binomial(4, 3/4): the sum of |k - 3| C(4, k) 3^k / 256 / 4 = (3 + 24 + 54 + 0 + 81) / 1024.
        #expect(abs(error([[3, 1], [0, 0]], 0.75) - 162.0 / 1024) <= 1e-12)
        // One clip: 2 p (1 - p).
        #expect(abs(error([[1, 0], [0, 0]], 0.75) - 0.375) <= 1e-12)
        #expect(error([[3, 1], [0, 0]], 1) == 0 && error([[0, 0], [0, 0]], 0.75) == 0)
    }

    @Test func aMissingRangeHasItsReason() throws {
        func noRange(_ confusion: [[Int]], _ measure: Measure = Measure(1, nil)) throws -> String {
            ReportSentences(try report(confusion)).noRange(measure)
        }
        #expect(try noRange([[1, 0], [0, 0]]).contains("only one clip"))
        #expect(try noRange([[500, 0], [0, 500]]).contains("resampling the clips does not change it"))
        #expect(try noRange([[500, 0], [0, 500]], Measure(0.5, Interval(0.6, 0.7))).contains("resampling the clips shifts"))
    }

    @Test func dashesAreExplainedWhereTheyAre() throws {
        func dashes(_ confusion: [[Int]]) throws -> String { ReportSentences(try report(confusion)).dashes }
        #expect(try dashes([[5, 1], [2, 4]]) == "")
        #expect(try dashes([[5, 0], [2, 0]]).contains("no clip got this label"))
        #expect(try dashes([[5, 1], [0, 0]]).contains("no clip is of this class"))
        #expect(try dashes([[5, 1, 0], [2, 4, 0], [0, 0, 0]]).hasPrefix("The means leave out"))
    }
}
