import VidCheckpoint
import VidConfig
import VidData
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// The clips of a training, all of them looked at before it begins.
struct TrainingData {
    let set: DataSet
    /// What was found; of clips that are left out, too.
    let report: DataReport

    /// Opens what the configuration names, makes the parts, looks at every clip and compares the parts.
    ///
    /// - Throws: `.badData` for bad clips, unless `data.skip_bad_clips` leaves them out, and for leaks where those are refused.
    static func open(_ configuration: RunConfiguration, clipCache: (any ClipCache)?, quiet: Bool) async throws -> TrainingData {
        let set = try DataSet.open(configuration.data.path, split: configuration.data.splitOptions(seed: configuration.seed))
        return try await check(set, configuration, clipCache: clipCache, quiet: quiet, skipsBadClips: configuration.data.skipBadClips)
    }

    /// The clips and parts that a run has noted.
    static func reopen(
        _ splits: String, _ configuration: RunConfiguration, classes: [String]?, clipCache: (any ClipCache)?, quiet: Bool
    ) async throws -> TrainingData {
        let set = try SplitsFile.read(splits, data: configuration.data.path, classes: classes)
        return try await check(set, configuration, clipCache: clipCache, quiet: quiet, skipsBadClips: false)
    }

    private static func check(
        _ set: DataSet, _ configuration: RunConfiguration, clipCache: (any ClipCache)?, quiet: Bool, skipsBadClips: Bool
    ) async throws -> TrainingData {
        let loader = ClipLoader(configuration)
        let mode = configuration.data.leakCheck
        let report = try await CheckCommand.check(set, loader: loader, leakCheck: mode != .off, clipCache: clipCache, quiet: quiet)
        if !quiet { Terminal.write(Terminal.fitted(DataReportText.text(report)) + "\n") }
        for note in set.findings.notes + [set.otherFilesSummary].compactMap(\.self) { Terminal.note("note: \(note)") }
        if mode == .refuse, let error = report.leakError { throw error }
        guard let error = report.badClipsError else { return TrainingData(set: set, report: report) }
        guard skipsBadClips else { throw error }
        let good = report.goodData
        for (label, count) in good.counts(of: .train).enumerated() where count == 0 {
            throw VidclassError.file(
                set.path,
                "without its bad clips the class \"\(good.classes[label].printable)\" has none left to train on; mend them or "
                    + "remove the class")
        }
        Terminal.note("note: \(Formatting.count(report.bad.count, "bad clip")) left out; the run's skipped.csv says which and why")
        return TrainingData(set: good, report: report)
    }
}
