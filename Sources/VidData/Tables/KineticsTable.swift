import VidSystem

/// Kinetics' `label,youtube_id,time_start,time_end,split`, and the videos that downloaders have left in a folder.
///
/// A cut is named `<youtube_id>_<start>_<end>` with six digits each, or `<youtube_id>`; it lies in the media folder, or there in the
/// folder of its label, of its split, or of both. Videos that YouTube no longer has are usual, so missing ones are counted.
enum KineticsTable {
    private static let known = ["label", "youtube_id", "time_start", "time_end", "split"]

    static func accepts(_ header: TableHeader) -> Bool { known.dropLast().allSatisfy { header.has($0) } }

    static func read(_ table: CSVTable, _ path: String, media: String?) throws -> ClipList {
        let header = TableHeader(table.header)
        try header.checkSingle(known, path, line: table.headerLine)
        let places = known.map { header.place(of: $0) }
        guard let label = places[0], let video = places[1], let start = places[2], let end = places[3] else {
            throw VidclassError.file(path, "line \(table.headerLine): expected the columns \(known.joined(separator: ","))")
        }
        let split = places[4]
        var files = ListedFiles(of: path, media: media)
        var list = ClipList(form: "Kinetics: " + known.filter { header.has($0) }.joined(separator: ","), namesSplits: split != nil)
        list.notes = [header.note(unused: table.header, used: Set(places.compactMap(\.self)), known: known)].compactMap(\.self)

        var found: [(clip: ListedClip, times: ClipSegment, isCut: Bool)] = []
        var missing: [String] = []
        for record in table.records {
            let (label, video) = (record.fields[label], TableHeader.trimmed(record.fields[video]))
            guard !label.isEmpty, !video.isEmpty else { throw record.error("label and youtube_id cannot be empty", path) }
            let times = try ClipTime.segment(record.fields[start], record.fields[end], names: (known[2], known[3]), .seconds, record, path)
            let part = split.map { record.fields[$0] }
            let name = "\(video)_\(digits(times.start))_\(digits(times.end))"
            guard let file = files.clip(named: [name, video], in: folders(label, part)) else {
                missing.append(name)
                continue
            }
            found.append(
                (
                    ListedClip(
                        table: path, line: record.line, id: file.id, path: file.path, label: label, split: part, status: file.status),
                    times,
                    PathText.stem(file.id).hasSameBytes(as: name)
                ))
        }
        if found.isEmpty, let first = missing.first {
            throw VidclassError.file(
                path,
                "none of the \(missing.count) videos is there, for example \(first.printable).mp4; looked in "
                    + files.places.map { $0.printable }.joined(separator: " and ")
                    + " and its folders of labels and splits", kind: .missingInput,
                advice: ["Name the folder of the videos with --media DIR (data.media in a configuration)."])
        }
        list.clips = cuts(found)
        list.notes += notes(Set(found.filter { !$0.isCut }.map(\.clip.id)).sorted(by: PathText.precedes), missing, of: table.records.count)
        return list
    }

    /// The clips. A file that several rows name is not a cut but a whole video, so each row is a part of it.
    private static func cuts(_ found: [(clip: ListedClip, times: ClipSegment, isCut: Bool)]) -> [ListedClip] {
        var rows: [[UInt8]: Int] = [:]
        for row in found { rows[Array(row.clip.id.utf8), default: 0] += 1 }
        return found.map { row in
            var clip = row.clip
            if !row.isCut, rows[Array(clip.id.utf8), default: 0] > 1 {
                clip.id = ClipPath(file: clip.id, segment: row.times).text
                clip.path = ClipPath(file: clip.path, segment: row.times).text
            }
            return clip
        }
    }

    private static func notes(_ whole: [String], _ missing: [String], of count: Int) -> [String] {
        var notes: [String] = []
        if let first = missing.first {
            notes.append("left out \(missing.count) of \(count) videos, which are not there, for example \(first.printable).mp4")
        }
        if let first = whole.first {
            notes.append(
                "\(whole.count) \(whole.count == 1 ? "video has" : "videos have") no times in the name, for example \(first.printable); "
                    + (whole.count == 1
                        ? "it counts as cut already, unless several rows name it"
                        : "they count as cut already, unless several rows name one of them"))
        }
        return notes
    }

    /// Where the cuts of a label and a split may be, below the media folder.
    private static func folders(_ label: String, _ split: String?) -> [String] {
        let slash = UInt8(ascii: "/")
        let labels = [label, label.replacing(" ", with: "_")].filter { !$0.utf8.contains(slash) && $0 != ".." }
        let splits = [split].compactMap(\.self).filter { !$0.isEmpty && !$0.utf8.contains(slash) && $0 != ".." }
        return [""] + labels + splits + splits.flatMap { split in labels.map { PathText.join(split, $0) } }
    }

    /// Whole seconds with six digits.
    private static func digits(_ seconds: Double) -> String {
        let text = "\(Int(min(seconds, 999_999)))"
        return String(repeating: "0", count: max(0, 6 - text.count)) + text
    }
}
