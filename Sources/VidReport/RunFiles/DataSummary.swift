import VidConfig
import VidData
import VidSystem
import VidTensor

/// What a run's data was when it was looked at: `data.json` in its folder, which holds of `vidclass check --json` what a report
/// tells.
package struct DataSummary: Sendable, Equatable {
    package struct Part: Sendable, Equatable {
        /// `train`, `val`, `test`.
        package var name: String
        /// Clips of each class.
        package var counts: [Int]

        package init(name: String, counts: [Int]) {
            self.name = name
            self.counts = counts
        }
    }

    package struct Skipped: Sendable, Equatable {
        package var clip: String
        package var reason: String

        package init(clip: String, reason: String) {
            self.clip = clip
            self.reason = reason
        }
    }

    package struct SamePair: Sendable, Equatable {
        package var first: String
        package var second: String
        package var isIdentical: Bool

        package init(first: String, second: String, isIdentical: Bool) {
            self.first = first
            self.second = second
            self.isIdentical = isIdentical
        }
    }

    /// Skipped clips and pairs that are kept; the numbers are of all.
    package static let mostListed = 20

    package var path = ""
    package var classes: [String] = []
    package var parts: [Part] = []
    /// What the clips are, in words: kinds, sizes, lengths.
    package var facts: [Fact] = []
    package var remarks: [String] = []
    package var skippedCount = 0
    package var skipped: [Skipped] = []
    /// Nil where clips alike in different parts were not looked for.
    package var pairCount: Int?
    package var pairs: [SamePair] = []

    package struct Fact: Sendable, Equatable {
        package var label: String
        package var text: String
    }

    /// - Parameter skipsBad: whether clips that cannot be read were left out.
    package init(_ report: DataReport, skipsBad: Bool) {
        let set = skipsBad ? report.goodData : report.data
        path = set.path
        classes = set.classes
        parts = Split.allCases.map { Part(name: $0.rawValue, counts: set.counts(of: $0)) }.filter { $0.counts.contains { $0 > 0 } }
        facts = DataReportText.facts(report).map { Fact(label: $0.label, text: $0.text) }
        remarks = report.remarks
        if skipsBad {
            skippedCount = report.bad.count
            skipped = report.bad.prefix(DataSummary.mostListed).map { Skipped(clip: $0.entry.id, reason: $0.reason ?? "") }
        }
        pairCount = report.leaks?.count
        pairs = (report.leaks ?? []).prefix(DataSummary.mostListed).map {
            SamePair(first: report.clips[$0.first].entry.id, second: report.clips[$0.second].entry.id, isIdentical: $0.isIdentical)
        }
    }

    /// Of data that was not looked into: its parts and classes.
    package init(_ set: DataSet) {
        path = set.path
        classes = set.classes
        parts = Split.allCases.map { Part(name: $0.rawValue, counts: set.counts(of: $0)) }.filter { $0.counts.contains { $0 > 0 } }
        remarks = set.findings.notes
    }

    package init(
        path: String, classes: [String], parts: [Part], facts: [Fact] = [], remarks: [String] = [], skipped: [Skipped] = [],
        pairs: [SamePair]? = nil
    ) {
        self.path = path
        self.classes = classes
        self.parts = parts
        self.facts = facts
        self.remarks = remarks
        self.skipped = skipped
        skippedCount = skipped.count
        pairCount = pairs?.count
        self.pairs = pairs ?? []
    }

    /// Clips of a part.
    package func clips(of part: String) -> Int { parts.first { $0.name == part }?.counts.reduce(0, +) ?? 0 }
}

// MARK: - data.json

extension DataSummary {
    package var document: JSONNode {
        .object([
            ("data", .string(path)), ("classes", .array(classes.map { .string($0) })),
            ("parts", .object(parts.map { ($0.name, .array($0.counts.map { .integer($0) })) })),
            ("facts", .object(facts.map { ($0.label, .string($0.text)) })), ("remarks", .array(remarks.map { .string($0) })),
            ("skipped_count", .integer(skippedCount)),
            (
                "skipped",
                .array(skipped.map { .object([("path", .string($0.clip)), ("reason", .string($0.reason))]) })
            ),
            ("same_pairs_count", pairCount.map { .integer($0) } ?? .null),
            (
                "same_pairs",
                .array(
                    pairs.map {
                        .object([("first", .string($0.first)), ("second", .string($0.second)), ("identical", .bool($0.isIdentical))])
                    })
            ),
        ])
    }

    /// Writes the file whole.
    package func write(to path: String) throws {
        let text = document.text(pretty: true) + "\n"
        try AtomicFile.write(to: path) { try $0.write(text.utf8) }
    }

    /// Nil where there is no such file, or it is none.
    package init?(readingFrom path: String) {
        guard let bytes = try? RegularFile.contents(path, limit: 1 << 24), let document = try? JSONParser.parse(bytes),
            let data = document["data"]?.stringValue
        else { return nil }
        func strings(_ node: JSONNode?) -> [String] { (node?.arrayElements ?? []).compactMap(\.stringValue) }
        self.path = data
        classes = strings(document["classes"])
        parts = Split.allCases.compactMap { part in
            guard let counts = document["parts"]?[part.rawValue]?.arrayElements else { return nil }
            // Numbers that are none of clips are left out, and with them the part.
            return Part(name: part.rawValue, counts: counts.compactMap { $0.intValue }.filter { (0...1 << 40).contains($0) })
        }.filter { $0.counts.count == classes.count }
        facts = DataReportText.factLabels.compactMap { label in
            document["facts"]?[label]?.stringValue.map { Fact(label: label, text: $0) }
        }
        remarks = strings(document["remarks"])
        skippedCount = document["skipped_count"]?.intValue ?? 0
        skipped = (document["skipped"]?.arrayElements ?? []).compactMap { node in
            node["path"]?.stringValue.map { Skipped(clip: $0, reason: node["reason"]?.stringValue ?? "") }
        }
        pairCount = document["same_pairs_count"]?.intValue
        pairs = (document["same_pairs"]?.arrayElements ?? []).compactMap { node in
            guard let first = node["first"]?.stringValue, let second = node["second"]?.stringValue else { return nil }
            return SamePair(first: first, second: second, isIdentical: node["identical"]?.boolValue ?? false)
        }
    }
}
