import Foundation
import Testing
import VidData
import VidReport
import VidTensor
import VidTestSupport
import VidTrain

/// The metrics of a page against scikit-learn's.
@Suite struct ReportMetricsTests {
    /// The named values of a page.
    private func metrics(_ page: String) -> [String: Double] {
        var values: [String: Double] = [:]
        for part in page.components(separatedBy: "<data data-name=\"").dropFirst() {
            let fields = part.components(separatedBy: "\"")
            values[fields[0]] = Double(fields[2])
        }
        return values
    }

    @Test(arguments: 0..<4) func everyMetricOfThePageIsScikitLearns(_ table: Int) throws {
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

    @Test func withoutAClipNothingTraps() throws {
        let evaluation = Evaluation(classes: ["a", "b"], clips: [], losses: [])
        #expect(ReportPage(try SampleReports.report(evaluation)).html.contains("0</data> clips correctly"))
    }

    @Test func aScoreOfZeroKeepsTheLossFinite() {
        let clips = [ClipScores(clip: "a", label: 0, scores: [0, 1]), ClipScores(clip: "b", label: 1, scores: [0, 1])]
        let metrics = EvaluationMetrics(Evaluation(classes: ["a", "b"], clips: clips, losses: [100, 0]))
        #expect(metrics.clippedLosses == 1)
        #expect(abs(metrics.loss.value - 18.0218) <= 1e-4)
    }
}
