import VidSystem
import VidTensor

/// Looks at every clip of a data set before a training does: opens each, reads it to its end, and compares the parts.
///
/// Files that a memo knows are not read again. The report is the same at any number of clips looked at a time.
package struct DataCheck: Sendable {
    /// How far a check is.
    package struct Progress: Sendable {
        package let total: Int
        package var done = 0
        /// Of those done.
        package var bad = 0
        /// Of those done: taken from the memo.
        package var remembered = 0
    }

    private let examination: ClipExamination
    private let requirements: ClipRequirements?
    private let leakCheck: Bool
    private let clipCache: (any ClipCache)?
    private let concurrency: Int

    /// - Parameters:
    ///   - loader: how clips are taken.
    ///   - mustFit: whether clips that a model with this input could not take are bad, too; else every readable one is good.
    ///   - leakCheck: whether to look for the same frames in different parts.
    ///   - concurrency: clips looked at a time.
    package init(
        loader: ClipLoader? = nil, mustFit: Bool = true, leakCheck: Bool = true, clipCache: (any ClipCache)? = nil,
        concurrency: Int = Workers.processorCount, finder: FFmpegFinder = FFmpegFinder()
    ) {
        examination = ClipExamination(finder: finder, loader: loader)
        requirements = mustFit ? loader.map { ClipRequirements($0) } : nil
        self.leakCheck = leakCheck
        self.clipCache = clipCache
        self.concurrency = max(1, concurrency)
    }

    /// Looks at all clips of `data`.
    ///
    /// A clip that cannot be read is in the report. Throws where nothing can be done at all, such as without ffmpeg for
    /// videos, and `CancellationError` soon after the task is cancelled.
    package func run(_ data: DataSet, progress: @Sendable (Progress) -> Void = { _ in }) async throws -> DataReport {
        var state = Progress(total: data.entries.count)
        var outcomes = [Outcome?](repeating: nil, count: data.entries.count)
        progress(state)
        try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
            func finish(_ number: Int, _ outcome: Outcome) {
                outcomes[number] = outcome
                state.done += 1
                if case .failure = outcome.facts { state.bad += 1 }
                if outcome.isRemembered { state.remembered += 1 }
                progress(state)
            }
            for (number, entry) in data.entries.enumerated() {
                if number >= concurrency, let (number, outcome) = try await group.next() { finish(number, outcome) }
                group.addTask {
                    try Task.checkCancellation()
                    return (number, try await look(at: entry.path))
                }
            }
            while let (number, outcome) = try await group.next() { finish(number, outcome) }
        }
        let clips = zip(data.entries, outcomes).map { entry, outcome in
            DataReport.Clip(entry: entry, result: outcome?.facts ?? .failure(.file(entry.path, "was not looked at")))
        }
        try Task.checkCancellation()
        return DataReport(data: data, clips: clips, leaks: leakCheck ? LeakSearch.leaks(clips) : nil)
    }

    private struct Outcome: Sendable {
        var facts: Result<ClipFacts, VidclassError>
        var isRemembered: Bool
    }

    private func look(at path: String) async throws -> Outcome {
        let variant = examination.variant(path)
        let known = clipCache?.facts(of: path, variant: variant)
        let facts: ClipFacts
        if let known {
            facts = known
        } else {
            // Without ffmpeg no video can be looked at: that is no fault of the clip.
            if ClipFormat(path: path) == .video, (try? RegularFile(path)) != nil { _ = try await examination.finder.ffmpeg() }
            do {
                facts = try await examination.facts(path)
            } catch let error as VidclassError {
                return Outcome(facts: .failure(error), isRemembered: false)
            }
            clipCache?.remember(facts, of: path, variant: variant)
        }
        let fault = requirements?.fault(facts, path)
        return Outcome(facts: fault.map { .failure($0) } ?? .success(facts), isRemembered: known != nil)
    }
}
