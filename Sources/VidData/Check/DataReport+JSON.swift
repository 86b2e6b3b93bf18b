import VidConfig
import VidSystem

extension DataReport {
    /// The document of `vidclass check --json`, with every clip and every leak.
    package var document: JSONNode {
        // Each list by itself: in one expression with closures, the compiler would look for their types for half a minute.
        let table: JSONNode = data.findings.form.map { .string($0.text) } ?? .null
        let splits: [(String, JSONNode)] = splits.map { ($0.rawValue, splitDocument($0)) }
        let sizes: [JSONNode] = sizes.map(sizeDocument)
        let kinds: [(String, JSONNode)] = kinds.map { ($0.name, .integer($0.clips)) }
        let bad: [JSONNode] = bad.map(badDocument)
        let damaged: [JSONNode] = damaged.map(damagedDocument)
        let contradictions: [JSONNode] = contradictions.map { pair($0.first, $0.second) }
        let overlaps: [JSONNode] = overlaps.map(overlapDocument)
        let leaks: JSONNode = leaks.map { .array($0.map(leakDocument)) } ?? .null
        let files: [JSONNode] = clips.map(clipDocument)
        let members: [(String, JSONNode)] = [
            ("data", .string(data.path)), ("table", table), ("clips", .integer(clips.count)), ("bad", .integer(bad.count)),
            ("damaged", .integer(damaged.count)), ("classes", texts(data.classes)), ("parts", .object(splits)), ("frames", spread(frames)),
            ("frames_per_second", spread(rates)), ("seconds", spread(durations)), ("sizes", .array(sizes)), ("kinds", .object(kinds)),
            ("remarks", texts(remarks)), ("other_files", texts(data.findings.otherFiles)), ("bad_clips", .array(bad)),
            ("damaged_clips", .array(damaged)), ("contradictions", .array(contradictions)), ("overlaps", .array(overlaps)),
            ("leaks", leaks), ("files", .array(files)),
        ]
        return .object(members)
    }

    private func texts(_ texts: [String]) -> JSONNode { .array(texts.map { .string($0) }) }

    private func sizeDocument(_ size: Size) -> JSONNode {
        .object([
            ("rows", .integer(size.rows)), ("columns", .integer(size.columns)), ("channels", .integer(size.channels)),
            ("clips", .integer(size.clips)),
        ])
    }

    private func badDocument(_ clip: CheckedClip) -> JSONNode {
        .object(members(clip.entry) + [("reason", .string(clip.reason ?? ""))])
    }

    private func damagedDocument(_ clip: CheckedClip) -> JSONNode {
        .object(members(clip.entry) + (clip.facts?.damage?.members ?? []))
    }

    private func pair(_ first: Int, _ second: Int) -> JSONNode { .object([("first", clip(first)), ("second", clip(second))]) }

    private func splitDocument(_ split: Split) -> JSONNode {
        let counts = data.counts(of: split)
        return .object([
            ("clips", .integer(counts.reduce(0, +))),
            ("by_class", .object(zip(data.classes, counts).map { ($0, .integer($1)) })),
        ])
    }

    private func spread(_ spread: Spread?) -> JSONNode {
        guard let spread else { return .null }
        return .object([
            ("min", .number(spread.minimum)), ("median", .number(spread.median)), ("max", .number(spread.maximum)),
        ])
    }

    private func clip(_ number: Int) -> JSONNode {
        let entry = clips[number].entry
        return .object([
            ("path", .string(entry.id)), ("part", .string(entry.split.rawValue)), ("label", .string(data.classes[entry.label])),
        ])
    }

    /// `end` is null for the end of the video.
    private func overlapDocument(_ overlap: SegmentOverlap) -> JSONNode {
        let end = overlap.range.upperBound
        return .object([
            ("first", clip(overlap.first)), ("second", clip(overlap.second)), ("start", .number(overlap.range.lowerBound)),
            ("end", end.isFinite ? .number(end) : .null),
        ])
    }

    private func leakDocument(_ leak: Leak) -> JSONNode {
        .object([
            ("first", clip(leak.first)), ("second", clip(leak.second)), ("identical", .bool(leak.isIdentical)),
            ("matched_frames", .integer(leak.matched)), ("compared_frames", .integer(leak.frames)),
            ("mean_difference", .number(leak.difference)),
        ])
    }

    private func members(_ entry: DataSet.Entry) -> [(String, JSONNode)] {
        [("path", .string(entry.id)), ("label", .string(data.classes[entry.label])), ("part", .string(entry.split.rawValue))]
    }

    private func clipDocument(_ clip: CheckedClip) -> JSONNode {
        var members = members(clip.entry)
        if let facts = clip.facts {
            members +=
                [
                    ("kind", .string(facts.kind)), ("coding", .string(facts.coding)), ("frames", .integer(facts.frames)),
                    ("channels", .integer(facts.channels)), ("rows", .integer(facts.rows)), ("columns", .integer(facts.columns)),
                    ("frames_per_second", .number(facts.framesPerSecond)), ("seconds", .number(ifAny: facts.duration)),
                    ("damage", facts.damage.map { .object($0.members) } ?? .null),
                ] + (facts.kind == "video" ? [("video_streams", .integer(facts.videoStreams))] : [])
        } else {
            members.append(("reason", .string(clip.reason ?? "")))
        }
        return .object(members)
    }
}
