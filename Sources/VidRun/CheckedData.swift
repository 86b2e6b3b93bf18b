import VidCluster
import VidConfig
import VidData
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// The clips of a training, all of them checked.
struct CheckedData {
    let set: DataSet
    /// The findings, including those on clips that are left out.
    let report: DataReport
    /// Clips that the check has decoded for the frozen layers of the CNN; nil if they run on other samples each time, or if none is frozen.
    let clips: ClipStore?

    /// Opens the configured data, splits it, reads every clip and compares the splits.
    ///
    /// - Throws: `.badData` for bad clips, unless `data.skip_bad_clips` leaves them out, for clips with two labels, for damaged clips if
    ///   `data.damaged` refuses them, and for leaks if `data.leak_check` refuses them.
    init(_ configuration: RunConfiguration, in runtime: Runtime) async throws {
        let set = try DataSet.open(
            configuration.data.path, media: configuration.data.media, split: configuration.data.splitOptions(seed: configuration.seed))
        try await self.init(set, configuration, in: runtime, skipsBadClips: configuration.data.skipBadClips)
    }

    /// Reopens the clips and splits that a run's `splits.csv` names.
    init(splits: String, _ configuration: RunConfiguration, classes: [String]?, in runtime: Runtime) async throws {
        let set: DataSet
        do {
            set = try SplitsFile.read(splits, data: configuration.data.path, media: configuration.data.media, classes: classes)
        } catch var error as VidclassError where error.kind == .missingInput {
            let command = ShellText.vidclass(
                "train", "--resume", ShellText.path(PathText.parent(splits)), "--set", "data.path=NEW_PLACE")
            error.advice += ["If the data has been moved, resume with its new place:", "  " + command]
            throw error
        }
        try await self.init(set, configuration, in: runtime, skipsBadClips: false, isResumed: true)
    }

    private init(
        _ set: DataSet, _ configuration: RunConfiguration, in runtime: Runtime, skipsBadClips: Bool, isResumed: Bool = false
    ) async throws {
        let keeping = KeptViews(configuration, shown: .heldOut(of: set))
        let found = try await runtime.check(
            set, loader: ClipLoader(configuration), sharedBy: configuration, leakCheck: configuration.data.leakCheck != .off,
            keeping: keeping)
        try self.init(
            found, clips: keeping?.store, configuration, in: runtime, skipsBadClips: skipsBadClips, isResumed: isResumed)
    }

    /// Decides about clips that are checked already.
    ///
    /// - Parameters:
    ///   - found: the findings in the splits of the configuration; clips that its model cannot use are bad.
    ///   - clips: what the check has decoded for the training.
    /// - Throws: `.badData` as a check throws it.
    init(
        _ found: DataReport, clips: ClipStore?, _ configuration: RunConfiguration, in runtime: Runtime, skipsBadClips: Bool,
        isResumed: Bool = false
    ) throws {
        let set = found.data
        let mode = configuration.data.leakCheck
        self.clips = clips
        report = configuration.data.damaged == .skip ? found.refusingDamaged() : found
        try runtime.observe(.data(report))
        if let error = report.contradictionError(isListed: runtime.showsReports) {
            // A run that was trained on clips with two labels can be resumed.
            guard isResumed else { throw error }
            if !runtime.showsReports { try runtime.warn(error.message) }
        }
        if mode == .refuse, let error = report.leakError(isListed: runtime.showsReports) { throw error }
        if configuration.data.damaged == .refuse, let error = found.damagedError(isListed: runtime.showsReports) { throw error }
        // A resumed training has left its damaged clips out before; one that was damaged since then cannot be left out.
        if !skipsBadClips, let error = (isResumed ? report : found).badClipsError(isListed: runtime.showsReports) { throw error }
        guard !report.bad.isEmpty else {
            self.set = set
            return
        }
        self.set = report.goodData
        for (label, count) in self.set.counts(of: .train).enumerated() where count == 0 {
            throw VidclassError.file(
                set.path,
                "the class \"\(self.set.classes[label].printable)\" has no readable training clips left. Fix its clips or remove the class."
            )
        }
        try runtime.note(
            "\(Formatting.count(report.bad.count, "bad clip")) left out; the run's skipped.csv lists "
                + (report.bad.count == 1 ? "it with the reason" : "them with the reasons"))
    }
}

extension KeptViews {
    /// The samples that the first stage's frozen layers and the evaluation run on; nil if those of the training are different ones each
    /// time, or if no layer is frozen.
    init?(_ configuration: RunConfiguration, shown: Split) {
        guard configuration.stagePlans[0].trainable != .all,
            let training = SamplePlan.training(configuration, behindFrozenLayers: true).fixedViews,
            let evaluation = SamplePlan.evaluation(configuration).fixedViews
        else { return nil }
        let budget = MemoryBudget(gibibytes: configuration.training.memoryGiB)
        self.init([.train: training, .validation: evaluation, .test: evaluation], shown: shown, in: ClipStore(bytes: budget.bytes / 8))
    }
}

extension DataSet {
    /// Remarks for the user on what was found in the data.
    package var notes: [String] {
        let form = findings.form.flatMap { $0.isNamed ? "table: " + $0.text : nil }
        return [form].compactMap(\.self) + findings.notes + [otherFilesSummary, formulaSummary].compactMap(\.self)
    }

    /// The names that have a leading `'` in CSV files (`CSVText.cell`); nil if there are none.
    private var formulaSummary: String? {
        let names = (classes + entries.map(\.id)).filter { !CSVText.cell($0).hasSameBytes(as: $0) }
        guard let first = names.first else { return nil }
        return
            "\(Formatting.count(names.count, "name")) that a spreadsheet would run as a formula, such as \(first.printable): with a leading ' "
            + "in CSV files"
    }
}

extension Runtime {
    /// Checks all clips of `data`: whether they can be read and, if `mustFit`, used by a model with this loader.
    ///
    /// - Parameters:
    ///   - configuration: that of `loader`, if the ranks of a cluster share out the check.
    ///   - leakCheck: whether to look for clips that show the same in different splits.
    ///   - isThorough: whether every frame of long videos is decoded.
    ///   - keeping: what to keep for the training that follows.
    ///   - concurrency: clips checked at a time.
    package func check(
        _ data: DataSet, loader: ClipLoader, sharedBy configuration: RunConfiguration? = nil, mustFit: Bool = true, leakCheck: Bool,
        isThorough: Bool = false,
        keeping: KeptViews? = nil,
        concurrency: Int = Workers.processorCount
    ) async throws -> DataReport {
        let start = ContinuousClock.now
        let facts = CollectedFacts(cache)
        let check = DataCheck(
            loader: loader, mustFit: mustFit, leakCheck: leakCheck, clipCache: facts, keeping: keeping, isThorough: isThorough,
            concurrency: concurrency)
        if let configuration { try await collect(facts, check, data, configuration, isThorough: isThorough) }
        let report = try await check.run(data) { try? observe(.checking($0)) }
        try observe(.checked(clips: data.entries.count, seconds: (ContinuousClock.now - start).seconds))
        return report
    }
}
