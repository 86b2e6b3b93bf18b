import VidData
import VidSystem
import VidTensor

/// The result of a data check, for people, in 80 columns.
package enum DataReportText {
    /// The classes, bad clips and pairs that are shown at most; the JSON document has all.
    private static let mostClasses = 30
    private static let mostListed = 20

    package static func text(_ report: DataReport) -> String {
        let remarks = report.remarks.map { Terminal.paragraph("note: " + $0, indent: 6) }.joined()
        return summary(report) + "\n" + classes(report) + (remarks.isEmpty ? "" : "\n" + remarks) + bad(report) + leaks(report) + "\n"
            + verdict(report)
    }

    private static func summary(_ report: DataReport) -> String {
        ([(label: "data", text: report.data.path.printable)] + facts(report)).map {
            Terminal.paragraph($0.label.padded(toColumns: 10) + $0.text, indent: 10)
        }.joined()
    }

    /// The number, kinds, sizes and lengths of the clips, in words.
    package static func facts(_ report: DataReport) -> [(label: String, text: String)] {
        let kinds =
            report.kinds.map { Formatting.count($0.clips, kind($0.name)) }
            + (report.bad.isEmpty ? [] : ["\(Formatting.grouped(report.bad.count)) bad"])
        let clips =
            "\(Formatting.count(report.clips.count, "clip")) in \(Formatting.count(report.data.classes.count, "class", "classes"))"
            + (kinds.isEmpty ? "" : " (\(Formatting.list(kinds, atMost: 4)))")
        let sizes = report.sizes.map {
            "\($0.columns)x\($0.rows)" + ($0.channels == 3 ? "" : " with \(Formatting.count($0.channels, "channel"))")
                + " (\(Formatting.grouped($0.clips)))"
        }
        let texts = [
            clips, sizes.isEmpty ? nil : Formatting.list(sizes, atMost: 4), report.frames.map { spread($0, 0) },
            report.rates.map { spread($0, 2) }, report.durations.map { spread($0, 1) },
        ]
        return zip(factLabels, texts).compactMap { label, text in text.map { (label, $0) } }
    }

    /// The labels of `facts`, in their order.
    package static let factLabels = ["clips", "size", "frames", "frames/s", "seconds"]

    /// The kind of a file as a noun: "H.264 video", ".bin file".
    private static func kind(_ name: String) -> String {
        switch name {
        case "h264 video": "H.264 video"
        case "hevc video": "H.265 video"
        case "bin", "npy": ".\(name) file"
        default: name.hasSuffix("video") ? name : name + " clip"
        }
    }

    /// "16 to 300, median 75", or one number if it is the same for all clips.
    private static func spread(_ spread: DataReport.Spread, _ digits: Int) -> String {
        func text(_ value: Double) -> String { Formatting.fixed(value, value == value.rounded() ? 0 : max(digits, 1)) }
        if spread.minimum == spread.maximum { return "\(text(spread.minimum)) in every clip" }
        return "\(text(spread.minimum)) to \(text(spread.maximum)), median \(text(spread.median))"
    }

    private static func classes(_ report: DataReport) -> String {
        let counts = report.splits.map { report.data.counts(of: $0) }
        var rows = [["class"] + report.splits.map(\.rawValue)]
        for (label, name) in report.data.classes.enumerated().prefix(mostClasses) {
            rows.append([name.printable.shortened(toColumns: 48)] + counts.map { "\($0[label])" })
        }
        if report.data.classes.count > mostClasses { rows.append(["... \(report.data.classes.count - mostClasses) more classes"]) }
        if report.data.classes.count > 1 { rows.append(["all"] + counts.map { "\($0.reduce(0, +))" }) }
        return Formatting.table(rows, right: Set(1...max(1, report.splits.count)), indent: "")
    }

    private static func bad(_ report: DataReport) -> String {
        section("Bad clips", report.bad, "bad clips") { "  \($0.entry.id.printable): \($0.reason ?? "")" }
    }

    private static func leaks(_ report: DataReport) -> String {
        section("Clips that look the same in two splits", report.leaks ?? [], "pairs") { leak in
            let (first, second) = (report.clips[leak.first].entry, report.clips[leak.second].entry)
            let how =
                leak.isIdentical
                ? "identical"
                : "\(leak.matched) of \(leak.frames) frames match; mean difference \(Formatting.fixed(leak.difference, 1)) of 255"
            return "  \(first.split.rawValue.padded(toColumns: 6))\(first.id.printable)\n"
                + "  \(second.split.rawValue.padded(toColumns: 6))\(second.id.printable)  (\(how))"
        }
    }

    /// A titled list, empty without items.
    private static func section<Item>(_ title: String, _ items: [Item], _ noun: String, _ text: (Item) -> String) -> String {
        guard !items.isEmpty else { return "" }
        let more = items.count > mostListed ? "  ... \(items.count - mostListed) more \(noun) (--json lists all)\n" : ""
        return "\n\(title)\n" + items.prefix(mostListed).map { Terminal.paragraph(text($0), indent: 6) }.joined() + more
    }

    private static func verdict(_ report: DataReport) -> String {
        let (bad, clips) = (report.bad.count, report.clips.count)
        var text =
            bad == 0
            ? "All clips can be read." : "\(Formatting.grouped(bad)) of \(Formatting.count(clips, "clip")) \(bad == 1 ? "is" : "are") bad."
        if let leaks = report.leaks, report.splits.count > 1 {
            text +=
                leaks.isEmpty
                ? " No clip is in two splits."
                : " \(Formatting.count(leaks.count, "pair")) of clips in different splits \(leaks.count == 1 ? "looks" : "look") the same."
        }
        return Terminal.paragraph(text, indent: 0)
    }
}
