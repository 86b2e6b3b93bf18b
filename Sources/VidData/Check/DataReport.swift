import VidSystem
import VidTensor

/// What a `DataCheck` found.
package struct DataReport: Sendable {
    /// A clip and what reading it said.
    package struct Clip: Sendable {
        package let entry: DataSet.Entry
        package let result: Result<ClipFacts, VidclassError>

        package init(entry: DataSet.Entry, result: Result<ClipFacts, VidclassError>) {
            self.entry = entry
            self.result = result
        }

        /// Nil for a bad clip.
        package var facts: ClipFacts? { try? result.get() }

        /// Why the clip is bad, without its path in front; nil for a good one.
        package var reason: String? {
            guard case .failure(let error) = result else { return nil }
            let head = entry.path.printable + ": "
            return error.message.hasPrefix(head) ? String(error.message.dropFirst(head.count)) : error.message
        }
    }

    /// The smallest, middle and largest of some numbers.
    package struct Spread: Sendable, Equatable {
        package let minimum: Double
        package let median: Double
        package let maximum: Double

        /// Nil for no numbers.
        package init?(_ values: [Double]) {
            let sorted = values.sorted()
            guard let first = sorted.first, let last = sorted.last else { return nil }
            minimum = first
            median = sorted.count % 2 == 1 ? sorted[sorted.count / 2] : (sorted[sorted.count / 2 - 1] + sorted[sorted.count / 2]) / 2
            maximum = last
        }
    }

    /// How many clips have frames of one size.
    package struct Size: Sendable, Equatable {
        package let rows: Int
        package let columns: Int
        package let channels: Int
        package let clips: Int

        package init(rows: Int, columns: Int, channels: Int, clips: Int) {
            self.rows = rows
            self.columns = columns
            self.channels = channels
            self.clips = clips
        }
    }

    package let data: DataSet
    /// In the order of the data's entries.
    package let clips: [Clip]
    /// Nil where they were not looked for. The most alike first.
    package let leaks: [Leak]?

    package init(data: DataSet, clips: [Clip], leaks: [Leak]?) {
        self.data = data
        self.clips = clips
        self.leaks = leaks
    }

    package var bad: [Clip] { clips.filter { $0.facts == nil } }

    package var facts: [ClipFacts] { clips.compactMap(\.facts) }

    /// Frames of a clip.
    package var frames: Spread? { Spread(facts.map { Double($0.frames) }) }

    /// Frames a second, of the clips whose rate is known.
    package var rates: Spread? { Spread(facts.map(\.framesPerSecond).filter { $0 > 0 }) }

    /// Seconds of a clip, of those whose rate is known.
    package var durations: Spread? { Spread(facts.compactMap(\.duration)) }

    /// The distinct sizes, the most frequent first.
    package var sizes: [Size] {
        var counts: [[Int]: Int] = [:]
        for clip in facts { counts[[clip.rows, clip.columns, clip.channels], default: 0] += 1 }
        return counts.map { Size(rows: $0.key[0], columns: $0.key[1], channels: $0.key[2], clips: $0.value) }
            .sorted { (-$0.clips, $0.rows, $0.columns, $0.channels) < (-$1.clips, $1.rows, $1.columns, $1.channels) }
    }

    /// Kinds of files with the number of good clips of each, the most frequent first.
    package var kinds: [(name: String, clips: Int)] {
        var counts: [String: Int] = [:]
        for clip in facts { counts[clip.kind == "video" ? "\(clip.coding) video" : clip.kind, default: 0] += 1 }
        return counts.map { (name: $0.key, clips: $0.value) }.sorted { (-$0.clips, $0.name) < (-$1.clips, $1.name) }
    }

    /// The parts that have clips.
    package var parts: [Split] { Split.allCases.filter { part in clips.contains { $0.entry.part == part } } }

    /// What is odd about the classes and the clips, if anything.
    package var remarks: [String] {
        var remarks = data.findings.notes
        let counts = data.counts(of: .train)
        let single = data.classes.indices.filter { counts[$0] == 1 }
        if !single.isEmpty {
            remarks.append(
                "\(list(single)) \(single.count == 1 ? "has" : "have") one training clip: nothing can be learnt from one example")
        }
        let largest = counts.max() ?? 0
        let smallest = counts.filter { $0 > 0 }.min() ?? 0
        if smallest > 0, largest > 5 * smallest {
            remarks.append(
                "the largest class has \(largest) training clips, the smallest \(smallest): consider "
                    + "training.class_weights = \"balanced\" or training.balanced_sampling = true")
        }
        for part in parts where part != .train {
            let counts = data.counts(of: part)
            let missing = data.classes.indices.filter { counts[$0] == 0 }
            let isNoted = data.findings.notes.contains { $0.contains("in the part \"\(part.rawValue)\"") }
            if !missing.isEmpty, !isNoted { remarks.append("the part \(part.rawValue) has no clip of \(list(missing))") }
        }
        let stills = facts.filter { $0.frames == 1 }.count
        if stills > 0, stills < facts.count {
            remarks.append(
                "\(stills) \(stills == 1 ? "clip has" : "clips have") a single frame: nothing moves in \(stills == 1 ? "it" : "them")")
        }
        return remarks
    }

    private func list(_ classes: [Int]) -> String {
        let shown = classes.prefix(5).map { "\"\(data.classes[$0].printable)\"" }.joined(separator: ", ")
        return (classes.count == 1 ? "the class " : "the classes ") + shown + (classes.count > 5 ? " and \(classes.count - 5) more" : "")
    }

    /// The same clips, looked at once, in the parts of `other`: another division of the same data.
    package func divided(as other: DataSet) -> DataReport {
        var parts: [[UInt8]: DataSet.Entry] = [:]
        for entry in other.entries { parts[Array(entry.id.utf8)] = entry }
        let clips = clips.compactMap { clip in parts[Array(clip.entry.id.utf8)].map { Clip(entry: $0, result: clip.result) } }
        return DataReport(data: other, clips: clips, leaks: leaks == nil ? nil : LeakSearch.leaks(clips))
    }

    /// The data without the bad clips, which keeps its classes.
    package var goodData: DataSet {
        let bad = Set(bad.map { Array($0.entry.id.utf8) })
        return data.keeping { !bad.contains(Array($0.id.utf8)) }
    }

    /// Writes the table of the bad clips, `skipped.csv`: `path,reason`.
    package func writeSkipped(to path: String) throws {
        var text = CSVText.line(["path", "reason"])
        for clip in bad { text += CSVText.line([clip.entry.id, clip.reason ?? ""]) }
        try AtomicFile.write(to: path) { try $0.write(text.utf8) }
    }

    /// The error that stops a training or ends a check; nil where all clips are good.
    package var badClipsError: VidclassError? {
        let bad = bad
        guard let first = bad.first else { return nil }
        let count = bad.count == 1 ? "1 bad clip" : "\(bad.count) bad clips"
        return VidclassError.file(
            data.path,
            "\(count) of \(clips.count), \(first.entry.path.printable) for one (\(first.reason ?? "")); mend or remove "
                + "\(bad.count == 1 ? "it" : "them"), or go on without with data.skip_bad_clips = true. `vidclass check` lists all")
    }

    /// The error of a training that refuses leaks; nil where none was found.
    package var leakError: VidclassError? {
        guard let leaks, let first = leaks.first else { return nil }
        return VidclassError.file(
            data.path,
            "\(leaks.count) \(leaks.count == 1 ? "pair" : "pairs") of clips in different parts show the same, "
                + "\(clips[first.first].entry.id.printable) and \(clips[first.second].entry.id.printable) for one; move them to one part "
                + "(a group column keeps them together), or set data.leak_check to \"report\". `vidclass check` lists all")
    }
}

extension DataSet {
    /// The data with the entries that `isKept` allows, in their order; the classes stay.
    package func keeping(_ isKept: (Entry) -> Bool) -> DataSet {
        DataSet(path: path, classes: classes, entries: entries.filter(isKept), findings: findings, namesParts: namesParts)
    }
}
