import VidSystem
import VidTensor

/// The result of a `DataCheck`.
package struct DataReport: Sendable {
    package typealias Spread = DataTally.Spread
    package typealias Size = DataTally.Size

    package let data: DataSet
    /// The clips in the order of the data's entries.
    package let clips: [CheckedClip]
    /// The leaks, most similar first; nil if they were not searched for.
    package let leaks: [Leak]?
    /// The clips with two labels.
    package let contradictions: [Contradiction]
    /// Whether pixels are preprocessed from the scale of bytes, as by any `data.preprocessing` but `none`.
    package var expectsBytes: Bool
    private let tally: DataTally

    package init(data: DataSet, clips: [CheckedClip], leaks: [Leak]?, contradictions: [Contradiction] = [], expectsBytes: Bool = true) {
        self.data = data
        self.clips = clips
        self.leaks = leaks
        self.contradictions = contradictions
        self.expectsBytes = expectsBytes
        tally = DataTally(clips)
    }

    /// The report with other results of the same clips.
    private func replacing(clips: [CheckedClip], leaks: [Leak]?, expectsBytes: Bool? = nil) -> DataReport {
        DataReport(
            data: data, clips: clips, leaks: leaks, contradictions: contradictions, expectsBytes: expectsBytes ?? self.expectsBytes)
    }

    package var bad: [CheckedClip] { tally.bad.map { clips[$0] } }

    /// The number of bad clips that cannot be read; the other bad clips do not fit the model.
    package var unreadable: Int { tally.unreadable }

    /// The good clips that are damaged.
    package var damaged: [CheckedClip] { tally.damaged.map { clips[$0] } }

    package var facts: [ClipFacts] { clips.compactMap(\.facts) }

    /// The numbers of frames per clip.
    package var frames: Spread? { tally.frames }

    /// The known frame rates.
    package var rates: Spread? { tally.rates }

    /// The known durations in seconds.
    package var durations: Spread? { tally.durations }

    /// The distinct sizes, most frequent first.
    package var sizes: [Size] { tally.sizes }

    /// The kinds of files with their numbers of good clips, most frequent first.
    package var kinds: [(name: String, clips: Int)] { tally.kinds }

    /// The splits that have clips.
    package var splits: [Split] { Split.allCases.filter(tally.splits.contains) }

    /// Notes about unusual classes and clips.
    package var remarks: [String] {
        var remarks = data.findings.notes
        let counts = data.counts(of: .train)
        let single = data.classes.indices.filter { counts[$0] == 1 }
        if !single.isEmpty {
            remarks.append(
                "\(list(single)) \(single.count == 1 ? "has" : "have") only one training clip, too few to learn from")
        }
        let largest = counts.max() ?? 0
        let smallest = counts.filter { $0 > 0 }.min() ?? 0
        if smallest > 0, largest > 5 * smallest {
            remarks.append(
                "the largest class has \(largest) training clips, the smallest \(smallest); consider "
                    + "\(ShellText.setting("training.class_weights", "balanced")) or "
                    + ShellText.setting("training.balanced_sampling", "true"))
        }
        for split in splits where split != .train {
            let counts = data.counts(of: split)
            let missing = data.classes.indices.filter { counts[$0] == 0 }
            let isNoted = data.findings.notes.contains { $0.contains("in the split \"\(split.rawValue)\"") }
            if !missing.isEmpty, !isNoted { remarks.append("the split \"\(split.rawValue)\" has no clips of \(list(missing))") }
        }
        let stills = tally.stills
        if stills > 0, stills < clips.count - tally.bad.count {
            remarks.append(
                "\(stills) \(stills == 1 ? "clip has" : "clips have") a single frame and so no motion")
        }
        let choices = tally.severalStreams
        if let first = choices.first.map({ clips[$0] }), let streams = first.facts?.videoStreams {
            remarks.append(
                "\(choices.count) \(choices.count == 1 ? "clip has" : "clips have") several video streams, for example "
                    + "\(first.entry.id.printable) (\(streams)). One of them is used: the default one, or else the one that FFmpeg prefers")
        }
        let gaps = tally.pictures.map { clips[$0].entry }.compactMap { entry in
            (try? FrameFolder(ClipPath(entry.path).file))?.missing.map { (entry.id, $0) }
        }
        if let (id, missing) = gaps.first {
            remarks.append(
                "\(gaps.count) \(gaps.count == 1 ? "folder" : "folders") of pictures \(gaps.count == 1 ? "has" : "have") gaps, for example "
                    + "\(id.printable): \(missing). The pictures that are there are the frames")
        }
        let scaled = expectsBytes ? tally.outOfRange : []
        if let first = scaled.first.map({ clips[$0] }), let fault = first.facts?.range?.fault {
            let example =
                scaled.count == 1
                ? "\(first.entry.id.printable) has" : "\(scaled.count) clips, for example \(first.entry.id.printable), have"
            remarks.append(
                "\(example) \(fault), or use the values as they are with \(ShellText.setting("data.preprocessing", "none")), without "
                    + "pre-trained weights")
        }
        if let overlapRemark { remarks.append(overlapRemark) }
        if let first = damaged.first {
            let (noun, them) = damaged.count == 1 ? ("clip is", "it") : ("clips are", "them")
            remarks.append(
                "\(damaged.count) \(noun) damaged, for example \(first.entry.id.printable) (\(first.facts?.damageText ?? "")). Training uses "
                    + "the frames that can be decoded; leave \(them) out with \(ShellText.setting("data.damaged", "skip"))")
        }
        return remarks
    }

    private func list(_ classes: [Int]) -> String {
        let shown = classes.prefix(5).map { "\"\(data.classes[$0].printable)\"" }.joined(separator: ", ")
        return (classes.count == 1 ? "the class " : "the classes ") + shown + (classes.count > 5 ? " and \(classes.count - 5) more" : "")
    }

    /// The report in which readable clips that `loader` cannot use are bad. Sounds stay as they are: a loader makes frames of its own
    /// size from them.
    package func fitted(to loader: ClipLoader) -> DataReport {
        let clips = clips.map { clip in
            guard let facts = clip.facts, facts.kind != "sound", let fault = loader.fault(facts, clip.entry.path) else { return clip }
            return CheckedClip(entry: clip.entry, result: .failure(fault), isReadable: true)
        }
        return replacing(clips: clips, leaks: leaks, expectsBytes: loader.expectsBytes)
    }

    /// The report in which damaged clips are bad.
    package func refusingDamaged() -> DataReport {
        guard !damaged.isEmpty else { return self }
        let clips = clips.map { clip in
            guard let text = clip.facts?.damageText else { return clip }
            return CheckedClip(entry: clip.entry, result: .failure(.file(clip.entry.path, "is damaged: \(text)")), isReadable: true)
        }
        return replacing(clips: clips, leaks: leaks == nil ? nil : LeakSearch.leaks(clips))
    }

    /// The report with newer results for some of its clips.
    package func replacing(_ newer: [CheckedClip]) -> DataReport {
        var results: [[UInt8]: CheckedClip] = [:]
        for clip in newer { results[Array(clip.entry.id.utf8)] = clip }
        return replacing(clips: clips.map { results[Array($0.entry.id.utf8)] ?? $0 }, leaks: leaks)
    }

    /// The report of the same clips in the splits of `other`, without reading them again.
    package func divided(as other: DataSet) -> DataReport {
        var entries: [[UInt8]: DataSet.Entry] = [:]
        for entry in other.entries { entries[Array(entry.id.utf8)] = entry }
        let clips = clips.compactMap { clip in
            entries[Array(clip.entry.id.utf8)].map { CheckedClip(entry: $0, result: clip.result, isReadable: clip.isReadable) }
        }
        return DataReport(
            data: other, clips: clips, leaks: leaks == nil ? nil : LeakSearch.leaks(clips),
            contradictions: ContradictionSearch.contradictions(clips, namesSplits: other.namesSplits), expectsBytes: expectsBytes)
    }

    /// The data without the bad clips, with the same classes.
    package var goodData: DataSet {
        guard !tally.bad.isEmpty else { return data }
        let bad = Set(bad.map { Array($0.entry.id.utf8) })
        return data.keeping { !bad.contains(Array($0.id.utf8)) }
    }

    /// Writes the table of bad clips, `skipped.csv`: `path,reason`.
    package func writeSkipped(to path: String) throws {
        var text = CSVText.line(["path", "reason"])
        for clip in bad { text += CSVText.line([clip.entry.id, clip.reason ?? ""].map(CSVText.cell)) }
        try AtomicFile.write(to: path) { try $0.write(text.utf8) }
    }

    /// The first class that has training clips, but only bad ones; nil if there is none.
    package var lostClass: String? {
        let (all, good) = (data.counts(of: .train), goodData.counts(of: .train))
        return data.classes.indices.first { all[$0] > 0 && good[$0] == 0 }.map { data.classes[$0] }
    }

    /// The error that stops a training or ends a check; nil if all clips are good.
    ///
    /// - Parameter isListed: whether the user sees the list of the bad clips, so that the error need not name one.
    package func badClipsError(isListed: Bool = false) -> VidclassError? {
        let bad = bad
        guard let first = bad.first else { return nil }
        var text =
            bad.count == clips.count
            ? "none of its \(clips.count) clips can be used" : "\(bad.count) bad \(bad.count == 1 ? "clip" : "clips") of \(clips.count)"
        if !isListed { text += ", for example \(first.entry.path.printable) (\(first.reason ?? ""))" }
        let them = bad.count == 1 ? "it" : "them"
        text += ". Fix or remove \(them)"
        if bad.count < clips.count {
            text +=
                lostClass.map { "; without \(them), the class \"\($0.printable)\" has no training clips" }
                ?? ", or train without \(them) by adding \(ShellText.setting("data.skip_bad_clips", "true"))"
        }
        return .file(data.path, text)
    }

    /// The error of a training that refuses damaged clips; nil if there is none.
    ///
    /// - Parameter isListed: whether the user sees the list of the damaged clips, so that the error need not name them.
    package func damagedError(isListed: Bool = false) -> VidclassError? {
        let damaged = damaged
        guard !damaged.isEmpty else { return nil }
        let (them, they) = damaged.count == 1 ? ("it", "it is") : ("them", "they are")
        let names = damaged.prefix(5).map { "\($0.entry.path.printable) (\($0.facts?.damageText ?? ""))" }.joined(separator: ", ")
        let list = isListed ? "" : ": " + names + (damaged.count > 5 ? " and \(damaged.count - 5) more" : "")
        return .file(
            data.path,
            "\(damaged.count) damaged \(damaged.count == 1 ? "clip" : "clips") of \(clips.count)\(list). Repair or remove \(them), use \(them) "
                + "as \(they) by adding \(ShellText.setting("data.damaged", "use")), or leave \(them) out by adding "
                + ShellText.setting("data.damaged", "skip"))
    }

    /// The error of a training on clips with two labels; nil if there are none.
    ///
    /// - Parameter isListed: whether the user sees the list of them, so that the error need not name one.
    package func contradictionError(isListed: Bool = false) -> VidclassError? {
        guard let first = contradictions.first else { return nil }
        let count = contradictions.count == 1 ? "1 clip has" : "\(contradictions.count) clips have"
        return .file(
            data.path,
            "\(count) two labels" + (isListed ? "" : ", for example \(text(first))")
                + ". Remove the wrong \(contradictions.count == 1 ? "one" : "ones")")
    }

    /// `v/0.bin (line 2, "cat") and ./v/0.bin (line 18, "dog") are the same file`.
    package func text(_ contradiction: Contradiction) -> String {
        func clip(_ number: Int) -> String {
            let entry = clips[number].entry
            return entry.id.printable + " (" + (entry.place.map { $0 + ", " } ?? "") + "\"\(data.classes[entry.label].printable)\")"
        }
        return "\(clip(contradiction.first)) and \(clip(contradiction.second)) "
            + (contradiction.isSameFile ? "are the same file" : "show the same frames")
    }

    /// The error of a training that refuses leaks; nil if none was found.
    ///
    /// - Parameter isListed: whether the user sees the list of the leaks, so that the error need not name one.
    package func leakError(isListed: Bool = false) -> VidclassError? {
        leakText(isListed: isListed).map {
            .file(data.path, "\($0), or train anyway by adding \(ShellText.setting("data.leak_check", "report"))")
        }
    }

    /// A warning about leaks that do not stop a training; nil if none was found.
    package var leakWarning: String? {
        leakText(isListed: false).map { "\(data.path.printable): \($0); otherwise the results will look better than they are" }
    }

    private func leakText(isListed: Bool) -> String? {
        guard let leaks, let first = leaks.first else { return nil }
        let example = "\(clips[first.first].entry.id.printable) and \(clips[first.second].entry.id.printable)"
        return "\(leaks.count) \(leaks.count == 1 ? "pair of clips shows" : "pairs of clips show") the same frames in different splits"
            + (isListed ? "" : ", for example \(example)")
            + ". Delete one clip of each pair, or keep both in one split: by folders train and val, or by the column group of a CSV file"
    }
}
