import VidData
import VidSystem
import VidTensor

/// What a check found, as a person reads it in 80 columns.
package enum DataReportText {
    /// Rows of the table of classes, bad clips and pairs that are shown; all are in the JSON document.
    private static let mostClasses = 30
    private static let mostBad = 20
    private static let mostLeaks = 20

    package static func text(_ report: DataReport) -> String {
        var text = summary(report) + "\n" + classes(report)
        if !report.remarks.isEmpty { text += "\n" + report.remarks.map { wrapped("note: " + $0, indent: "      ") }.joined() }
        text += bad(report) + leaks(report) + "\n" + verdict(report)
        return text
    }

    private static func summary(_ report: DataReport) -> String {
        let rows = [(label: "data", text: report.data.path.printable)] + facts(report)
        return rows.map { wrapped($0.label.padded(to: 10) + $0.text, indent: "          ") }.joined()
    }

    /// What the clips are: their kinds, sizes and lengths, in words.
    package static func facts(_ report: DataReport) -> [(label: String, text: String)] {
        let kinds = report.kinds.map { "\(Formatting.grouped($0.clips)) \($0.name)" }
        let clips =
            "\(Formatting.count(report.clips.count, "clip")), \(Formatting.count(report.data.classes.count, "class", "classes"))"
            + (kinds.isEmpty ? "" : ": " + listed(kinds, 4))
        let sizes = report.sizes.map {
            "\($0.columns)x\($0.rows)" + ($0.channels == 3 ? "" : " of \($0.channels)") + " (\(Formatting.grouped($0.clips)))"
        }
        let texts = [
            clips, sizes.isEmpty ? nil : listed(sizes, 4), report.frames.map { spread($0, 0) }, report.rates.map { spread($0, 2) },
            report.durations.map { spread($0, 1) },
        ]
        return zip(factLabels, texts).compactMap { label, text in text.map { (label, $0) } }
    }

    /// The words that `facts` begins its lines with.
    package static let factLabels = ["clips", "size", "frames", "frames/s", "seconds"]

    /// "16 to 300, median 75", or one number where all are the same.
    private static func spread(_ spread: DataReport.Spread, _ digits: Int) -> String {
        func text(_ value: Double) -> String {
            let text = Formatting.fixed(value, value == value.rounded() ? 0 : max(digits, 1))
            return text
        }
        if spread.minimum == spread.maximum { return "\(text(spread.minimum)) in every clip" }
        return "\(text(spread.minimum)) to \(text(spread.maximum)), median \(text(spread.median))"
    }

    private static func classes(_ report: DataReport) -> String {
        let counts = report.parts.map { report.data.counts(of: $0) }
        var rows = [["class"] + report.parts.map(\.rawValue)]
        for (label, name) in report.data.classes.enumerated().prefix(mostClasses) {
            rows.append([shortened(name.printable, 48)] + counts.map { "\($0[label])" })
        }
        if report.data.classes.count > mostClasses { rows.append(["... \(report.data.classes.count - mostClasses) more classes"]) }
        if report.data.classes.count > 1 { rows.append(["all"] + counts.map { "\($0.reduce(0, +))" }) }
        return Formatting.table(rows, right: Set(1...max(1, report.parts.count)), indent: "")
    }

    private static func bad(_ report: DataReport) -> String {
        let bad = report.bad
        guard !bad.isEmpty else { return "" }
        var text = "\nbad clips\n"
        for clip in bad.prefix(mostBad) {
            text += wrapped("  \(clip.entry.id.printable): \(clip.reason ?? "")", indent: "      ")
        }
        if bad.count > mostBad { text += "  ... \(bad.count - mostBad) more (--json lists all)\n" }
        return text
    }

    private static func leaks(_ report: DataReport) -> String {
        guard let leaks = report.leaks, !leaks.isEmpty else { return "" }
        var text = "\nthe same in two parts\n"
        for leak in leaks.prefix(mostLeaks) {
            let (first, second) = (report.clips[leak.first].entry, report.clips[leak.second].entry)
            let how =
                leak.isIdentical
                ? "identical"
                : "\(leak.matched) of \(leak.frames) frames alike, \(Formatting.fixed(leak.difference, 1)) of 255 apart"
            text += wrapped("  \(first.part.rawValue.padded(to: 6))\(first.id.printable)", indent: "      ")
            text += wrapped("  \(second.part.rawValue.padded(to: 6))\(second.id.printable)  (\(how))", indent: "      ")
        }
        if leaks.count > mostLeaks { text += "  ... \(leaks.count - mostLeaks) more pairs (--json lists all)\n" }
        return text
    }

    private static func verdict(_ report: DataReport) -> String {
        let bad = report.bad.count
        var parts = [
            bad == 0 ? "all clips can be read" : "\(Formatting.count(bad, "bad clip")) of \(Formatting.grouped(report.clips.count))"
        ]
        if let leaks = report.leaks, report.parts.count > 1 {
            parts.append(
                leaks.isEmpty ? "no clip is in two parts" : "\(Formatting.count(leaks.count, "pair")) of clips alike in different parts")
        }
        return parts.joined(separator: "; ") + "\n"
    }

    private static func listed(_ words: [String], _ most: Int) -> String {
        words.prefix(most).joined(separator: ", ") + (words.count > most ? " and \(words.count - most) more" : "")
    }

    private static func shortened(_ text: String, _ length: Int) -> String {
        text.count <= length ? text : text.prefix(length - 3) + "..."
    }

    /// The text on lines of at most `width` columns, broken at spaces, all but the first after `indent`; by default as wide as
    /// standard output, at most 80.
    package static func wrapped(_ text: String, indent: String, width: Int = OutputStyle.textColumns) -> String {
        var lines: [String] = []
        var line = ""
        var isEmpty = true
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            if !isEmpty, line.columns + 1 + String(word).columns > width, line.contains(where: { $0 != " " }) {
                lines.append(line)
                (line, isEmpty) = (indent + word, false)
            } else {
                line += (isEmpty ? "" : " ") + word
                isEmpty = false
            }
        }
        return (lines + [line]).joined(separator: "\n") + "\n"
    }
}

extension String {
    /// With spaces behind it, at least `length` characters.
    fileprivate func padded(to length: Int) -> String { self + String(repeating: " ", count: max(0, length - count)) }
}
