import VidSystem

/// The media files of BORIS observations, and where on their times an event is.
struct BORISMedia {
    private let columns: BORISTable.Columns
    private let path: String
    /// The time offset in the lines before the header.
    private let offset: String?
    private var files: ListedFiles
    private var found: [String: ListedFiles.Found] = [:]
    /// For exports without durations: the file of each observation.
    private var single: [String: String] = [:]
    /// The files that are not where the project had them.
    private var moved: [String] = []

    init(_ table: CSVTable, _ columns: BORISTable.Columns, _ path: String, files: ListedFiles) {
        (self.columns, self.path, self.files) = (columns, path, files)
        offset = table.preamble.first { TableHeader($0.fields).columns.first == "time offset (s)" }?.fields.dropFirst().first
    }

    var notes: [String] {
        guard let first = moved.first else { return [] }
        return [
            "\(moved.count) media file\(moved.count == 1 ? " was" : "s were") found by \(moved.count == 1 ? "its" : "their") name alone, "
                + "for example \(first.printable)"
        ]
    }

    /// The parts of files that `event` covers: one, or more if it goes on in the next file.
    mutating func clips(of event: BORISTable.Event) throws -> [(ListedFiles.Found, ClipSegment)] {
        let record = event.record
        let offset = try offset(record)
        let (start, end) = (event.start - offset, event.end - offset)
        guard start > -0.0015 else { throw record.error("the event begins before its media file, at \(start) s", path) }
        let playlist = columns.source.map { BORISMedia.firstPlayer(record.fields[$0]) } ?? []
        guard playlist.count > 1 else {
            let name = columns.media.map { record.fields[$0] } ?? playlist.first ?? ""
            if columns.source == nil, let other = single.updateValue(name, forKey: columns.observation(record)), other != name {
                throw unknownDurations(record)
            }
            return [(try file(name, record), BORISMedia.segment(start, end))]
        }
        let durations = columns.durations.map { BORISMedia.firstList(record.fields[$0]).compactMap(ClipTime.seconds) } ?? []
        guard durations.count == playlist.count else { throw unknownDurations(record) }
        var clips: [(ListedFiles.Found, ClipSegment)] = []
        var begin = 0.0
        for (place, name) in playlist.enumerated() {
            let isLast = place == playlist.count - 1
            let next = isLast ? Double.infinity : begin + durations[place]
            if start < next, end > begin || start == end && start >= begin {
                clips.append((try file(name, record), BORISMedia.segment(max(start, begin) - begin, min(end, next) - begin)))
            }
            begin = next
        }
        return clips
    }

    private func offset(_ record: CSVTable.Record) throws -> Double {
        let text = columns.offset.map { record.fields[$0] } ?? offset ?? ""
        guard !ClipTime.isMissing(text) else { return 0 }
        let isNegative = text.hasPrefix("-")
        guard let seconds = ClipTime.seconds(isNegative ? String(text.dropFirst()) : text) else {
            throw record.error("Time offset (s): expected a number, found \"\(text.brief)\"", path)
        }
        return isNegative ? -seconds : seconds
    }

    private func unknownDurations(_ record: CSVTable.Record) -> VidclassError {
        var error = record.error("the observation has several media files, and the export does not give the duration of each", path)
        error.advice = ["Export the events with BORIS 9 or later, which adds the column \"Media duration (s)\"."]
        return error
    }

    /// The file that BORIS knows as `name`: where it says, or by its name in the table's and the media folder.
    private mutating func file(_ name: String, _ record: CSVTable.Record) throws -> ListedFiles.Found {
        if let file = found[name] { return file }
        guard !ClipTime.isMissing(name), !["LIVE", "Not found"].contains(name) else {
            throw record.error("the event has no media file (\"\(name.brief)\")", path)
        }
        let last = ListedFiles.components(name).last ?? name
        var file = files.find(name)
        if file == nil, let other = files.find(last) {
            file = other
            moved.append(last)
        }
        guard let file else { throw files.missing(last, record, path) }
        found[name] = file
        return file
    }

    /// To the microsecond, so that a difference of decimals is a decimal again.
    private static func segment(_ start: Double, _ end: Double) -> ClipSegment {
        func rounded(_ time: Double) -> Double { (max(0, time) * 1e6).rounded() / 1e6 }
        return ClipSegment(start: rounded(start), end: rounded(end))
    }

    /// The files of the first player in a `Source`: `player #1:a.mp4;b.mp4|player #2:c.mp4`, and up to 8.14
    /// `player #1: a.mp4; b.mp4; player #2: c.mp4; `.
    private static func firstPlayer(_ source: String) -> [String] {
        let mark = "player #1:"
        guard let begin = source.firstRange(of: mark)?.upperBound else { return [] }
        let rest = source[begin...]
        return firstList(String(rest[..<(rest.firstRange(of: "player #")?.lowerBound ?? rest.endIndex)]))
    }

    /// The values of the first player in `a;b|c`.
    private static func firstList(_ text: String) -> [String] {
        text.split(separator: "|").first.map { $0.split(separator: ";").map { TableHeader.trimmed(String($0)) }.filter { !$0.isEmpty } }
            ?? []
    }
}
