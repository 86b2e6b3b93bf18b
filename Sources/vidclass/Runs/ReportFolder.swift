import Foundation

/// The files of a report in a folder.
struct ReportFolder {
    let path: String

    var page: String { path + "/report.html" }
    var curves: String { path + "/results.svg" }
    var confusion: String { path + "/confusion_matrix.svg" }
    var environment: String { path + "/environment.json" }
    var predictions: String { path + "/predictions.csv" }

    /// All of them.
    var files: [String] { [page, curves, confusion, environment, predictions] }

    var isThere: Bool { FileManager.default.fileExists(atPath: page) }
}
