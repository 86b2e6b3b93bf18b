import VidSystem
import VidTensor

/// Checks every clip of a data set before training: reads each to its end and compares the splits.
///
/// Files in the cache are not read again. The report does not depend on the number of clips read at a time.
package struct DataCheck: Sendable {
    package struct Progress: Sendable {
        package let total: Int
        package var done = 0
        /// The number of bad clips so far.
        package var bad = 0
        /// The number of clips so far whose facts came from the cache.
        package var remembered = 0

        package init(total: Int) { self.total = total }
    }

    private let examination: ClipExamination
    private let mustFit: Bool
    private let leakCheck: Bool
    private let clipCache: (any ClipCache)?
    private let keeping: KeptViews?
    private let concurrency: Int

    /// - Parameters:
    ///   - loader: how the model loads clips.
    ///   - mustFit: whether clips that do not fit the loader's input are bad, too; otherwise every readable clip is good.
    ///   - leakCheck: whether to look for equal frames in different splits.
    ///   - keeping: views that the loader will load next; they are decoded in the same pass.
    ///   - isThorough: whether every frame of long videos is decoded.
    ///   - concurrency: the number of clips read at a time.
    package init(
        loader: ClipLoader? = nil, mustFit: Bool = true, leakCheck: Bool = true, clipCache: (any ClipCache)? = nil,
        keeping: KeptViews? = nil, isThorough: Bool = false, concurrency: Int = Workers.processorCount, files: MediaFiles = MediaFiles()
    ) {
        var files = files
        if let rate = loader?.files.folderRate { files.folderRate = rate }
        examination = ClipExamination(
            decoder: VideoDecoder(deinterlaces: loader?.deinterlaces ?? true, files: files), isThorough: isThorough, loader: loader)
        self.mustFit = mustFit
        self.leakCheck = leakCheck
        self.clipCache = clipCache
        self.keeping = keeping
        self.concurrency = concurrency
    }

    /// Checks all clips of `data`; unreadable ones are in the report.
    ///
    /// Throws only `CancellationError` soon after the task is cancelled.
    package func run(_ data: DataSet, progress: @Sendable (Progress) -> Void = { _ in }) async throws -> DataReport {
        var state = Progress(total: data.entries.count)
        var outcomes = [Outcome?](repeating: nil, count: data.entries.count)
        progress(state)
        try await runConcurrently(data.entries.count, limit: concurrency) { number in
            try await check(data.entries[number])
        } finish: { number, outcome in
            outcomes[number] = outcome
            state.done += 1
            if case .failure = outcome.facts { state.bad += 1 }
            if outcome.isRemembered { state.remembered += 1 }
            progress(state)
        }
        let clips = zip(data.entries, outcomes).map { entry, outcome in
            CheckedClip(
                entry: entry, result: outcome?.facts ?? .failure(.file(entry.path, "was not checked")),
                isReadable: outcome?.isReadable ?? false)
        }
        try Task.checkCancellation()
        return DataReport(
            data: data, clips: clips, leaks: leakCheck ? LeakSearch.leaks(clips) : nil,
            contradictions: ContradictionSearch.contradictions(clips, namesSplits: data.namesSplits),
            expectsBytes: examination.loader?.expectsBytes ?? true)
    }

    /// Whether the cache has what is to be known about a clip.
    package func isKnown(_ path: String) -> Bool { clipCache?.facts(of: path, variant: variant(of: path)) != nil }

    /// Everything besides the file that the facts of the clip at `path` depend on.
    package func variant(of path: String) -> String { examination.variants(path).own }

    /// Reads a clip to its end, and keeps what a training needs of it.
    ///
    /// - Throws: why the clip is bad.
    package func examine(_ path: String, in split: Split) async throws -> ClipFacts {
        let facts = try await examination.facts(path, in: split, keeping: keeping)
        clipCache?.remember(facts, of: path, variant: variant(of: path))
        return facts
    }

    private struct Outcome: Sendable {
        var facts: Result<ClipFacts, VidclassError>
        var isReadable = true
        var isRemembered: Bool
    }

    private func check(_ entry: DataSet.Entry) async throws -> Outcome {
        let path = entry.path
        let (variant, thoroughVariant) = examination.variants(path)
        let known = clipCache?.facts(of: path, variant: variant)
        var facts: ClipFacts
        if let known {
            facts = known
        } else {
            do {
                facts = try await examine(path, in: entry.split)
            } catch let error as VidclassError {
                return Outcome(facts: .failure(error), isReadable: false, isRemembered: false)
            }
        }
        // The damage that a thorough check has found in a long video is still there.
        if let thorough = thoroughVariant.flatMap({ clipCache?.facts(of: path, variant: $0) }) {
            facts.damage = thorough.damage
        }
        let fault = mustFit ? examination.loader?.fault(facts, path) : nil
        return Outcome(facts: fault.map { .failure($0) } ?? .success(facts), isRemembered: known != nil)
    }
}
