import VidConfig
import VidData
import VidSystem

/// A run's data at the time of its check: `data.json` in its folder, the part of `vidclass check --json` that a report shows.
package struct DataSummary: Sendable, Equatable {
    package struct SplitCounts: Sendable, Equatable {
        /// `train`, `val` or `test`.
        package var name: String
        /// The number of clips of each class.
        package var counts: [Int]
    }

    package struct Skipped: Sendable, Equatable {
        package var clip: String
        package var reason: String
    }

    package struct SamePair: Sendable, Equatable {
        package var first: String
        package var second: String
        package var isIdentical: Bool
    }

    /// The most skipped clips and pairs that are listed; all are counted.
    package static let mostListed = 20

    package var path = ""
    package var classes: [String] = []
    package var splits: [SplitCounts] = []
    /// The kinds, sizes and lengths of the clips, in words.
    package var facts: [Fact] = []
    package var remarks: [String] = []
    package var skippedCount = 0
    package var skipped: [Skipped] = []
    /// The number of pairs of clips that look the same in different splits; nil if there was no search for them.
    package var pairCount: Int?
    package var pairs: [SamePair] = []

    package struct Fact: Sendable, Equatable {
        package var label: String
        package var text: String
    }

    /// - Parameter skipsBad: whether bad clips are left out.
    package init(_ report: DataReport, skipsBad: Bool) {
        self.init(skipsBad ? report.goodData : report.data)
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

    /// The splits and classes of data that was not checked.
    package init(_ set: DataSet) {
        path = set.path
        classes = set.classes
        splits = Split.allCases.map { SplitCounts(name: $0.rawValue, counts: set.counts(of: $0)) }.filter { $0.counts.contains { $0 > 0 } }
        remarks = set.findings.notes
    }

    /// The number of clips in a split.
    package func clips(of split: String) -> Int { splits.first { $0.name == split }?.counts.reduce(0, +) ?? 0 }
}

// MARK: - data.json

extension DataSummary {
    package var document: JSONNode {
        .object([
            ("data", .string(path)), ("classes", .array(classes.map { .string($0) })),
            ("parts", .object(splits.map { ($0.name, .array($0.counts.map { .integer($0) })) })),
            ("facts", .object(facts.map { ($0.label, .string($0.text)) })), ("remarks", .array(remarks.map { .string($0) })),
            ("skipped_count", .integer(skippedCount)),
            (
                "skipped",
                .array(skipped.map { .object([("path", .string($0.clip)), ("reason", .string($0.reason))]) })
            ),
            ("same_pairs_count", .integer(ifAny: pairCount)),
            (
                "same_pairs",
                .array(
                    pairs.map {
                        .object([("first", .string($0.first)), ("second", .string($0.second)), ("identical", .bool($0.isIdentical))])
                    })
            ),
        ])
    }

    /// Writes the file completely or not at all.
    package func write(to path: String) throws { try document.write(to: path) }

    /// Reads the file; nil if it does not exist or is not valid.
    package init?(readingFrom path: String) {
        guard let bytes = try? RegularFile.contents(path, limit: 1 << 24), let document = try? JSONParser.parse(bytes),
            let data = document["data"]?.stringValue
        else { return nil }
        self.path = data
        classes = document["classes"]?.strings ?? []
        splits = Split.allCases.compactMap { split in
            guard let counts = document["parts"]?[split.rawValue]?.arrayElements else { return nil }
            // A split with an invalid count is left out.
            return SplitCounts(name: split.rawValue, counts: counts.compactMap { $0.intValue }.filter { (0...1 << 40).contains($0) })
        }.filter { $0.counts.count == classes.count }
        facts = DataReportText.factLabels.compactMap { label in
            document["facts"]?[label]?.stringValue.map { Fact(label: label, text: $0) }
        }
        remarks = document["remarks"]?.strings ?? []
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
