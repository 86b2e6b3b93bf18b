import VidConfig
import VidSystem

extension DataReport {
    /// The document of `vidclass check --json`, with every clip and every leak.
    package var document: JSONNode {
        let table: JSONNode = data.findings.form.map { .string($0.text) } ?? .null
        return .object([
            ("data", .string(data.path)),
            ("table", table),
            ("clips", .integer(clips.count)),
            ("bad", .integer(bad.count)),
            ("damaged", .integer(damaged.count)),
            ("classes", .array(data.classes.map { .string($0) })),
            ("parts", .object(splits.map { ($0.rawValue, splitDocument($0)) })),
            ("frames", spread(frames)),
            ("frames_per_second", spread(rates)),
            ("seconds", spread(durations)),
            (
                "sizes",
                .array(
                    sizes.map {
                        .object([
                            ("rows", .integer($0.rows)), ("columns", .integer($0.columns)), ("channels", .integer($0.channels)),
                            ("clips", .integer($0.clips)),
                        ])
                    })
            ),
            ("kinds", .object(kinds.map { ($0.name, .integer($0.clips)) })),
            ("remarks", .array(remarks.map { .string($0) })),
            ("other_files", .array(data.findings.otherFiles.map { .string($0) })),
            ("bad_clips", .array(bad.map { .object(members($0.entry) + [("reason", .string($0.reason ?? ""))]) })),
            (
                "damaged_clips",
                .array(damaged.map { clip in .object(members(clip.entry) + (clip.facts?.damage?.members ?? [])) })
            ),
            (
                "contradictions",
                .array(contradictions.map { .object([("first", clip($0.first)), ("second", clip($0.second))]) })
            ),
            ("overlaps", .array(overlaps.map(overlapDocument))),
            ("leaks", leaks.map { .array($0.map(leakDocument)) } ?? .null),
            ("files", .array(clips.map(clipDocument))),
        ])
    }

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
                    ("frames_per_second", .number(facts.framesPerSecond)), ("seconds", facts.duration.map { .number($0) } ?? .null),
                    ("damage", facts.damage.map { .object($0.members) } ?? .null),
                ] + (facts.kind == "video" ? [("video_streams", .integer(facts.videoStreams))] : [])
        } else {
            members.append(("reason", .string(clip.reason ?? "")))
        }
        return .object(members)
    }
}
