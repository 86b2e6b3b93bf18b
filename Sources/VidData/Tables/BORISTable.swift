import VidSystem

/// The events of observations as BORIS exports them: aggregated, with `Start (s)` and `Stop (s)` of each, or tabular, with a row for the
/// start and one for the stop. Each state event is a clip with its behavior as the label.
///
/// The columns are those of BORIS 7 to 10; tabular exports up to 8.9 have other lines before the header. Times count from the start of the
/// observation, whose media files play one after the other, and include its time offset.
enum BORISTable {
    static func accepts(_ header: TableHeader) -> Bool {
        header.has("behavior")
            && (header.has("start (s)", "stop (s)") || header.has("time") && (header.has("behavior type") || header.has("status")))
    }

    static func read(_ table: CSVTable, _ path: String, media: String?) throws -> ClipList {
        let columns = try Columns(table, path)
        let (events, points) = try columns.isAggregated ? aggregated(table, columns, path) : paired(table, columns, path)
        var timeline = BORISMedia(table, columns, path, files: ListedFiles(of: path, media: media))
        var list = ClipList(form: columns.isAggregated ? "BORIS aggregated events" : "BORIS tabular events, START and STOP")
        var seen: [[UInt8]: [String]] = [:]
        var repeated = 0
        for event in events {
            for (file, segment) in try timeline.clips(of: event) {
                let id = ClipPath(file: file.id, segment: segment).text
                // Two subjects may do the same at the same time.
                if seen[Array(id.utf8), default: []].contains(event.behavior) {
                    repeated += 1
                    continue
                }
                seen[Array(id.utf8), default: []].append(event.behavior)
                list.clips.append(
                    ListedClip(
                        table: path, line: event.record.line, id: id, path: ClipPath(file: file.path, segment: segment).text,
                        label: event.behavior, status: file.status))
            }
        }
        list.notes = notes(events, points, repeated: repeated, columns) + timeline.notes
        return list
    }

    /// A behavior with a duration.
    struct Event {
        let record: CSVTable.Record
        let behavior: String
        let start: Double
        let end: Double
    }

    /// The events of an aggregated export, and the records of those without a duration.
    private static func aggregated(
        _ table: CSVTable, _ columns: Columns, _ path: String
    ) throws -> (events: [Event], points: [CSVTable.Record]) {
        var (events, points): ([Event], [CSVTable.Record]) = ([], [])
        for record in table.records {
            if columns.status(record) == "POINT" {
                points.append(record)
                continue
            }
            let texts = (columns.start(record), columns.stop(record))
            guard !ClipTime.isMissing(texts.1) else { throw record.error("the event has no Stop (s)", path) }
            let times = try ClipTime.segment(texts.0, texts.1, names: ("Start (s)", "Stop (s)"), .seconds, record, path)
            events.append(Event(record: record, behavior: try columns.behavior(record, path), start: times.start, end: times.end))
        }
        return (events, points)
    }

    /// The events of a tabular export, in the order of their starts, and the records of those without a duration.
    private static func paired(
        _ table: CSVTable, _ columns: Columns, _ path: String
    ) throws -> (events: [Event], points: [CSVTable.Record]) {
        var (events, points): ([Event], [CSVTable.Record]) = ([], [])
        var open: [[String]: CSVTable.Record] = [:]
        func unpaired(_ record: CSVTable.Record, _ found: String, _ other: String) throws -> VidclassError {
            record.error("\(found) of \"\(try columns.behavior(record, path).brief)\" without its \(other)", path)
        }
        for record in table.records {
            switch columns.status(record) {
            case "POINT": points.append(record)
            case "START":
                if let earlier = open.updateValue(record, forKey: columns.key(record)) { throw try unpaired(earlier, "START", "STOP") }
            case "STOP":
                guard let first = open.removeValue(forKey: columns.key(record)) else { throw try unpaired(record, "STOP", "START") }
                // Each time is in a line of its own.
                let segment = ClipSegment(
                    start: try ClipTime.value(columns.time(first), "Time", .seconds, first, path),
                    end: try ClipTime.value(columns.time(record), "Time", .seconds, record, path))
                let times = try ClipTime.checked(segment, record, path)
                events.append(Event(record: first, behavior: try columns.behavior(first, path), start: times.start, end: times.end))
            case let other: throw record.error("expected START, STOP or POINT, found \"\(other.brief)\"", path)
            }
        }
        if let first = open.values.min(by: { $0.line < $1.line }) { throw try unpaired(first, "START", "STOP") }
        return (events.sorted { $0.record.line < $1.record.line }, points)
    }

    private static func notes(_ events: [Event], _ points: [CSVTable.Record], repeated: Int, _ columns: Columns) -> [String] {
        var notes: [String] = []
        if let first = points.first {
            notes.append(
                "left out \(points.count) POINT event\(points.count == 1 ? "" : "s"), which \(points.count == 1 ? "has" : "have") no duration, for example in line \(first.line)"
            )
        }
        let subjects = Set(events.map { columns.subject($0.record) }).filter { !$0.isEmpty }.sorted(by: PathText.precedes)
        if subjects.count > 1 {
            let shown = subjects.prefix(5).map { "\"\($0.brief)\"" }.joined(separator: ", ")
            notes.append("events of \(subjects.count) subjects (\(shown)\(subjects.count > 5 ? ", ..." : "")); labels are behaviors alone")
        }
        if events.contains(where: { columns.hasModifiers($0.record) }) { notes.append("labels are without modifiers") }
        if repeated > 0 {
            notes.append(
                "\(repeated) event\(repeated == 1 ? "" : "s") with the behavior and times of another count\(repeated == 1 ? "s" : "") once")
        }
        return notes
    }
}

extension BORISTable {
    /// The places of the columns.
    struct Columns {
        let isAggregated: Bool
        /// The file of an event, if there is a column for it.
        let media: Int?
        /// All files of the observation, and their durations.
        let source: Int?
        let durations: Int?
        let offset: Int?
        private let observation: Int?
        private let behaviorColumn: Int
        private let subjectColumn: Int?
        private let statusColumn: Int?
        private let modifiers: [Int]
        private let times: [Int]

        init(_ table: CSVTable, _ path: String) throws {
            let header = TableHeader(table.header)
            let named = ["behavior", "start (s)", "stop (s)", "time", "behavior type", "status", "media file name", "media file path"]
            try header.checkSingle(named, path, line: table.headerLine)
            isAggregated = header.has("start (s)", "stop (s)")
            media = header.place(of: "media file name", "media file path", "media file")
            source = header.place(of: "source")
            durations = header.place(of: "media duration (s)")
            offset = header.place(of: "time offset (s)")
            observation = header.place(of: "observation id")
            behaviorColumn = header.place(of: "behavior") ?? 0
            subjectColumn = header.place(of: "subject")
            statusColumn = header.place(of: "behavior type", "status")
            modifiers = header.columns.indices.filter { header.columns[$0].hasPrefix("modifier") }
            times = (isAggregated ? ["start (s)", "stop (s)"] : ["time"]).compactMap { header.place(of: $0) }
            guard media != nil || source != nil else {
                throw VidclassError.file(
                    path, "line \(table.headerLine): the BORIS export names no media files; expected a column \"Media file name\"")
            }
        }

        func start(_ record: CSVTable.Record) -> String { record.fields[times[0]] }
        func stop(_ record: CSVTable.Record) -> String { record.fields[times[times.count - 1]] }
        func time(_ record: CSVTable.Record) -> String { record.fields[times[0]] }
        func subject(_ record: CSVTable.Record) -> String { subjectColumn.map { record.fields[$0] } ?? "" }
        func status(_ record: CSVTable.Record) -> String {
            statusColumn.map { TableHeader.trimmed(record.fields[$0]).uppercased() } ?? ""
        }
        func observation(_ record: CSVTable.Record) -> String { observation.map { record.fields[$0] } ?? "" }
        func hasModifiers(_ record: CSVTable.Record) -> Bool { modifiers.contains { !["", "None"].contains(record.fields[$0]) } }

        func behavior(_ record: CSVTable.Record, _ path: String) throws -> String {
            let behavior = record.fields[behaviorColumn]
            guard !behavior.isEmpty else { throw record.error("the event has no behavior", path) }
            return behavior
        }

        /// The cells that a start and its stop have in common.
        func key(_ record: CSVTable.Record) -> [String] {
            [observation(record), subject(record), record.fields[behaviorColumn]] + modifiers.map { record.fields[$0] }
        }
    }
}
