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
        let entries = data.entries
        var state = Progress(total: entries.count)
        let unchecked = VidclassError(.other, "was not checked")
        var clips = entries.map { CheckedClip(entry: $0, result: .failure(unchecked)) }
        progress(state)
        defer { save() }
        // What is known is looked up first, many clips at a time; the rest is read.
        var unknown = Array(entries.indices)
        if clipCache != nil {
            unknown = []
            let starts = Array(stride(from: 0, to: entries.count, by: DataCheck.group))
            try await runConcurrently(starts.count, limit: concurrency) { number in
                known(entries[starts[number]..<min(entries.count, starts[number] + DataCheck.group)])
            } finish: { number, found in
                for (place, clip) in zip(starts[number]..., found) {
                    guard let clip else {
                        unknown.append(place)
                        continue
                    }
                    clips[place] = clip
                    state.add(clip, isRemembered: true)
                }
                if found.contains(where: { $0 != nil }) { progress(state) }
            }
        }
        let places = unknown.sorted()
        try await runConcurrently(places.count, limit: concurrency) { number in
            try await read(entries[places[number]])
        } finish: { number, clip in
            clips[places[number]] = clip
            state.add(clip, isRemembered: false)
            progress(state)
        }
        try Task.checkCancellation()
        return DataReport(
            data: data, clips: clips, leaks: leakCheck ? LeakSearch.leaks(clips) : nil,
            contradictions: ContradictionSearch.contradictions(clips, namesSplits: data.namesSplits),
            expectsBytes: examination.loader?.expectsBytes ?? true)
    }

    /// Clips that are looked up in one go.
    private static let group = 1024

    /// Whether the cache has what is to be known about a clip.
    package func isKnown(_ entry: DataSet.Entry) -> Bool { known([entry])[0] != nil }

    /// Makes what was found available to later checks.
    package func save() { clipCache?.save() }

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

    /// The clips that the cache knows, in the order of the entries; nil for the others.
    ///
    /// A file that was read before has the content that it had then. So if there are facts for the format that its name says, that is
    /// its format, and it is not opened.
    private func known(_ entries: ArraySlice<DataSet.Entry>) -> [CheckedClip?] {
        guard let clipCache else { return entries.map { _ in nil } }
        let formats = entries.map { ClipFormat(name: ClipPath.file($0.path)) }
        var variants = zip(entries, formats).map { entry, format in format.map { examination.variants(entry.path, $0) } }
        // A folder of pictures can have any name.
        var facts = answers(entries, variants.map { $0?.own }, clipCache).map { $0?.kind == "pictures" ? nil : $0 }
        for (place, (entry, named)) in zip(entries, formats).enumerated() where facts[place] == nil {
            let format = ClipFormat(keyOf: ClipPath.file(entry.path))
            variants[place] = format.flatMap { $0 == named ? nil : examination.variants(entry.path, $0) }
            facts[place] = variants[place].flatMap { clipCache.facts(of: entry.path, variant: $0.own) }
        }
        let thorough = answers(entries, zip(facts, variants).map { $0 == nil ? nil : $1?.thorough }, clipCache)
        return zip(entries, zip(facts, thorough)).map { entry, found in found.0.map { checked(entry, $0, thorough: found.1) } }
    }

    /// Looks up the facts of the entries that have a variant; nil for the others, and where the cache has none.
    private func answers(_ entries: ArraySlice<DataSet.Entry>, _ variants: [String?], _ cache: any ClipCache) -> [ClipFacts?] {
        let asked = variants.indices.filter { variants[$0] != nil }
        var answers = [ClipFacts?](repeating: nil, count: variants.count)
        guard !asked.isEmpty else { return answers }
        let found = cache.facts(
            of: asked.map { place in
                let entry = entries[entries.startIndex + place]
                return CachedClip(path: entry.path, variant: variants[place] ?? "", status: entry.status)
            })
        for (place, facts) in zip(asked, found) { answers[place] = facts }
        return answers
    }

    /// Reads a clip that the cache does not know.
    private func read(_ entry: DataSet.Entry) async throws -> CheckedClip {
        do {
            let facts = try await examine(entry.path, in: entry.split)
            let thorough = examination.variants(entry.path).thorough.flatMap { clipCache?.facts(of: entry.path, variant: $0) }
            return checked(entry, facts, thorough: thorough)
        } catch let error as VidclassError {
            return CheckedClip(entry: entry, result: .failure(error))
        }
    }

    /// - Parameter thorough: what a thorough check has found before, if there was one. The damage in a long video is still there.
    private func checked(_ entry: DataSet.Entry, _ facts: ClipFacts, thorough: ClipFacts?) -> CheckedClip {
        var facts = facts
        if let thorough { facts.damage = thorough.damage }
        let fault = mustFit ? examination.loader?.fault(facts, entry.path) : nil
        return CheckedClip(entry: entry, result: fault.map { .failure($0) } ?? .success(facts), isReadable: true)
    }
}

extension DataCheck.Progress {
    fileprivate mutating func add(_ clip: CheckedClip, isRemembered: Bool) {
        done += 1
        if case .failure = clip.result { bad += 1 }
        if isRemembered { remembered += 1 }
    }
}
