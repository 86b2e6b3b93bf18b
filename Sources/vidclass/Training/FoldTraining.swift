import ArgumentParser
import Foundation
import VidCheckpoint
import VidConfig
import VidData
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// `train --folds K`: K trainings, each validated on one K-th of the clips, as `fold1` to `foldK` in a folder that can be
/// resumed as a whole.
struct FoldTraining {
    private let folder: RunFolder
    private let lock: RunLock
    private let configuration: RunConfiguration
    private let count: Int
    /// All clips; those of the test part are in no fold.
    private let base: DataSet
    /// What was found of them.
    private let report: DataReport

    /// What came of a fold.
    struct Result {
        let run: String
        let clips: Int
        let best: BestEpoch
    }

    /// Whether the folder is one of folds.
    static func isOne(_ folder: RunFolder) -> Bool { FileManager.default.fileExists(atPath: folder.foldsPath) }

    /// Begins in a new folder.
    init(_ configuration: RunConfiguration, _ data: TrainingData, count: Int) throws {
        self.configuration = configuration
        self.count = count
        base = data.set
        report = data.report
        // Whether there can be so many is said before there is a folder.
        let (folds, notes) = try base.folds(count, seed: configuration.seed)
        for note in notes { Terminal.note("note: \(note)") }
        try FoldTraining.checkLeaks(data.report, folds, configuration.data.leakCheck)
        let output = configuration.output
        folder = try RunFolder.create(directory: output.directory, name: output.name, existOk: output.existOk, holdsWeights: false)
        lock = try RunLock(folder)
        try folder.removeOldRun()
        try SplitsFile.write(base, to: folder.splitsPath)
        if !data.report.bad.isEmpty { try data.report.writeSkipped(to: folder.skippedPath) }
        try AtomicFile.write(to: folder.foldsPath) {
            try $0.write((JSONNode.object([("folds", .integer(count))]).text(pretty: true) + "\n").utf8)
        }
        try AtomicFile.write(to: folder.configPath) { try $0.write(configuration.text.utf8) }
    }

    /// Says which clips of different folds show the same; the parts were compared as one split has them.
    private static func checkLeaks(_ report: DataReport, _ folds: [DataSet], _ mode: LeakCheckMode) throws {
        for (index, fold) in folds.enumerated() {
            guard let error = report.divided(as: fold).leakError else { continue }
            if mode == .refuse { throw VidclassError(error.kind, "fold \(index + 1): \(error.message)") }
            Terminal.note("note: fold \(index + 1): \(error.message)")
        }
    }

    /// Goes on in the folder.
    init(resuming folder: RunFolder, overrides: [String], clipCache: (any ClipCache)?, quiet: Bool) async throws {
        self.folder = folder
        lock = try RunLock(folder)
        configuration = try RunConfiguration.load(path: folder.configPath, overrides: overrides)
        try ResumeRules.check(configuration, against: RunConfiguration.load(path: folder.configPath), folder.configPath)
        let path = folder.foldsPath
        let bytes = try RegularFile.contents(path, limit: 1 << 16)
        guard let count = (try? JSONParser.parse(bytes))?["folds"]?.integerValue, (2...1000).contains(count) else {
            throw VidclassError.file(path, "expected {\"folds\": K}; the folder is not one of folds, or damaged")
        }
        self.count = Int(count)
        let data = try await TrainingData.reopen(folder.splitsPath, configuration, classes: nil, clipCache: clipCache, quiet: quiet)
        (base, report) = (data.set, data.report)
        let text = configuration.text
        try AtomicFile.write(to: folder.configPath) { try $0.write(text.utf8) }
    }

    /// Trains the folds that are not finished, one after the other.
    func run(workers: Workers, cache: (any FeatureCache)?, _ talk: TrainingTalk) async throws {
        let watch = StopWatch(Interruption(), maxMinutes: configuration.training.maxMinutes)
        var results: [Result] = []
        for (index, data) in try base.folds(count, seed: configuration.seed).folds.enumerated() {
            let request = try request(index, data)
            let session = try await TrainingSession(request, workers: workers, cache: cache)
            if index == 0, !talk.quiet { session.showStartupReport() }
            if talk.stream == nil || !talk.quiet { Terminal.note("fold \(index + 1)/\(count)  \(session.folder?.path ?? "")") }
            let end = try await TrainingRun(session: session, watch: watch, talk: talk.of(fold: index + 1, folds: count)).run()
            guard end != nil else {
                Terminal.note(
                    "\(watch.exitCode == nil ? "training.max_minutes is over" : "interrupted") in fold \(index + 1) of \(count); everything is "
                        + "kept\nGo on with: vidclass train --resume \(ShellText.quoted(folder.path))")
                if let code = watch.exitCode { throw ExitCode(code) }
                let summary = FoldSummary(results, monitor: configuration.training.monitor.rawValue)
                try talk.stream?.write("end", summary.members(folder.path, reason: "max_minutes"))
                return
            }
            guard let best = session.trainer.state.best else { continue }
            results.append(Result(run: session.folder?.path ?? "", clips: data.entries(of: .validation).count, best: best))
        }
        let summary = FoldSummary(results, monitor: configuration.training.monitor.rawValue)
        try AtomicFile.write(to: folder.path + "/folds.csv") { try $0.write(summary.csv.utf8) }
        guard let stream = talk.stream else { return try Terminal.output(summary.text) }
        try stream.write("end", summary.members(folder.path, reason: "folds"))
    }

    private func request(_ index: Int, _ data: DataSet) throws -> TrainingRequest {
        var own = configuration
        own.output = OutputConfiguration()
        own.output.directory = folder.path
        own.output.name = "fold\(index + 1)"
        own.output.existOk = true
        let existing = RunFolder(path: folder.path + "/" + own.output.name)
        try existing.checkLinks(isOwn: false)
        guard FileManager.default.fileExists(atPath: existing.configPath) else {
            return TrainingRequest(own, data: data, summary: DataSummary(report.divided(as: data), skipsBad: true))
        }
        return try TrainingRequest(resuming: existing, own, data: data)
    }
}

/// The folds' figures with their mean and spread.
struct FoldSummary {
    private let results: [FoldTraining.Result]
    private let monitor: String

    init(_ results: [FoldTraining.Result], monitor: String) {
        self.results = results
        self.monitor = monitor
    }

    /// Mean and sample standard deviation (over n - 1).
    private func spread(_ value: (BestEpoch) -> Double) -> (mean: Double, deviation: Double) {
        let values = results.map { value($0.best) }
        let mean = values.reduce(0, +) / Double(max(values.count, 1))
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (mean, values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0)
    }

    var text: String {
        var rows = [["fold", "clips", "best epoch", "accuracy", "loss"]]
        for (index, result) in results.enumerated() {
            rows.append([
                "\(index + 1)", "\(result.clips)", "\(result.best.epoch)", Formatting.fixed(result.best.accuracy, 4),
                Formatting.fixed(result.best.loss, 4),
            ])
        }
        let (accuracy, loss) = (spread(\.accuracy), spread(\.loss))
        rows.append(["mean", "", "", Formatting.fixed(accuracy.mean, 4), Formatting.fixed(loss.mean, 4)])
        rows.append(["std", "", "", Formatting.fixed(accuracy.deviation, 4), Formatting.fixed(loss.deviation, 4)])
        return Formatting.table(rows, right: [1, 2, 3, 4])
    }

    /// A line a fold, then the mean and the sample standard deviation.
    var csv: String {
        var text = CSVText.line(["fold", "run", "clips", "best_epoch", monitor, "loss", "categorical_accuracy"])
        for (index, result) in results.enumerated() {
            text += CSVText.line([
                "\(index + 1)", result.run, "\(result.clips)", "\(result.best.epoch)", "\(result.best.value)", "\(result.best.loss)",
                "\(result.best.accuracy)",
            ])
        }
        let spreads = [spread(\.value), spread(\.loss), spread(\.accuracy)]
        text += CSVText.line(["mean", "", "", ""] + spreads.map { "\($0.mean)" })
        return text + CSVText.line(["std", "", "", ""] + spreads.map { "\($0.deviation)" })
    }

    /// - Parameter reason: why it ended: all folds are done, or the time is over.
    func members(_ folder: String, reason: String) -> [(String, JSONNode)] {
        func node(_ spread: (mean: Double, deviation: Double)) -> JSONNode {
            .object([("mean", .number(spread.mean)), ("std", .number(spread.deviation))])
        }
        return [
            ("run", .string(folder)), ("stop_reason", .string(reason)), ("folds", .integer(results.count)),
            ("categorical_accuracy", node(spread(\.accuracy))),
            ("loss", node(spread(\.loss))),
            (
                "results",
                .array(
                    results.map {
                        .object([
                            ("run", .string($0.run)), ("clips", .integer($0.clips)), ("best_epoch", .integer($0.best.epoch)),
                            ("categorical_accuracy", .number($0.best.accuracy)), ("loss", .number($0.best.loss)),
                        ])
                    })
            ),
        ]
    }
}
