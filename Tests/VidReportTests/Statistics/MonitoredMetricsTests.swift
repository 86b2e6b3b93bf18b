import Foundation
import Testing
import VidConfig
import VidData
import VidReport
import VidTrain

/// The metrics that a training can monitor against scikit-learn's (maintain.goldens report).
@Suite struct MonitoredMetricsTests {
    @Test(arguments: 0..<4) func monitoredMetricsAreScikitLearns(_ table: Int) throws {
        let goldens = try #require(Bundle.module.resourcePath).appending("/Goldens")
        let (classes, clips) = try PredictionsFile.read(goldens + "/predictions-\(table).csv")
        let evaluation = Evaluation(classes: classes, clips: clips, losses: clips.map { _ in 0 })
        var names: [String: Metric] = [
            "accuracy": Metric(.validationAccuracy), "top_5_accuracy": Metric(.validationTop5), "macro.f1": Metric(.validationMacroF1),
            "balanced_accuracy": Metric(.validationBalancedAccuracy), "brier": Metric(.validationBrier),
            "expected_calibration_error": Metric(.validationCalibrationError),
        ]
        for (index, label) in classes.enumerated() {
            names["class.\(index).precision"] = Metric(.validationPrecision, label: label)
            names["class.\(index).recall"] = Metric(.validationRecall, label: label)
            names["class.\(index).f1"] = Metric(.validationF1, label: label)
        }
        var checked = 0
        for record in try CSVTable(path: goldens + "/metrics.csv").records where record.fields[0] == "\(table)" {
            guard let metric = names[record.fields[1]] else { continue }
            let expected = try #require(Double(record.fields[2]))
            let index = metric.label.flatMap(classes.firstIndex)
            let value = try #require(evaluation.value(of: metric.kind, classIndex: index))
            #expect(abs(value - expected) <= 1e-9, "\(metric.rawValue): \(value), expected \(expected)")
            checked += 1
        }
        #expect(checked >= names.count - 1)
    }
}
