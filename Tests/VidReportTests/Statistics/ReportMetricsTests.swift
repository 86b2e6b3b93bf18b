import Foundation
import Testing
import VidData
import VidReport
import VidTensor
import VidTestSupport
import VidTrain

/// The figures of a page against scikit-learn's (Scripts/make_report_goldens.py).
@Suite struct FiguresTests {
    /// The named values of a page.
    private func metrics(_ page: String) -> [String: Double] {
        var values: [String: Double] = [:]
        for part in page.components(separatedBy: "<data data-name=\"").dropFirst() {
            let fields = part.components(separatedBy: "\"")
            values[fields[0]] = Double(fields[2])
        }
        return values
    }

    @Test(arguments: 0..<4) func everyFigureOfThePageIsScikitLearns(_ table: Int) throws {
        let goldens = try #require(Bundle.module.resourcePath).appending("/Goldens")
        let (classes, clips) = try PredictionsFile.read(goldens + "/predictions-\(table).csv")
        let evaluation = Evaluation(classes: classes, clips: clips, losses: clips.map { _ in 0 })
        let found = metrics(ReportPage(try SampleReports.report(evaluation)).html)
        var checked = 0
        for record in try CSVTable(path: goldens + "/metrics.csv").records where record.fields[0] == "\(table)" {
            let (name, expected) = (record.fields[1], try #require(Double(record.fields[2])))
            // A class that is never decided for has no precision to show.
            guard let value = found[name] else {
                #expect(expected == 0, "\(name) is not on the page")
                continue
            }
            checked += 1
            // scikit-learn wants scores that sum to one exactly; those in single precision do to 1e-7.
            #expect(abs(value - expected) <= (name.hasPrefix("loss") ? 1e-6 : 1e-9), "\(name): \(value), expected \(expected)")
        }
        #expect(checked > 30)
    }

    /// Against SciPy's `binomtest(...).proportion_ci(method="wilson")`.
    @Test func wilson() throws {
        for (hits, trials, low, high) in [
            (23, 24, 0.797582, 0.992607), (0, 10, 0.0, 0.277533), (10, 10, 0.722467, 1.0), (5, 10, 0.236593, 0.763407),
        ] {
            let interval = try #require(Interval.wilson(hits, of: trials))
            #expect(abs(interval.low - low) <= 5e-7 && abs(interval.high - high) <= 5e-7, "\(hits) of \(trials): \(interval)")
        }
        #expect(Interval.wilson(0, of: 0) == nil)
    }

    @Test func scoresOnTheEdgeOfABinBelongToTheLowerOne() {
        #expect(Calibration.bin(of: 0) == 0)
        #expect(Calibration.bin(of: 0.5) == 4)
        #expect(Calibration.bin(of: 0.5000001) == 5)
        #expect(Calibration.bin(of: 1) == 9)
    }

    @Test func withoutAClipNothingTraps() throws {
        let evaluation = Evaluation(classes: ["a", "b"], clips: [], losses: [])
        #expect(ReportPage(try SampleReports.report(evaluation)).html.contains("right on"))
    }

    @Test func aScoreOfZeroKeepsTheLossFinite() {
        let clips = [ClipScores(clip: "a", label: 0, scores: [0, 1]), ClipScores(clip: "b", label: 1, scores: [0, 1])]
        let metrics = EvaluationMetrics(Evaluation(classes: ["a", "b"], clips: clips, losses: [100, 0]))
        #expect(metrics.clippedLosses == 1)
        #expect(abs(metrics.loss.value - 18.0218) <= 1e-4)
    }
}
