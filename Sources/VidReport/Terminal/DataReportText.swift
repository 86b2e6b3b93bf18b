import VidData
import VidSystem
import VidTensor

/// The result of a data check, for people, in at most 80 columns.
package enum DataReportText {
    /// The classes, bad clips and pairs that are shown at most; the JSON document has all.
    private static let mostClasses = 30
    private static let mostListed = 20

    /// - Parameter columns: those of the terminal.
    package static func text(_ report: DataReport, columns: Int = OutputStyle.textColumns) -> String {
        let page = Page(columns: min(80, columns))
        let remarks = (report.remarks + [report.data.otherFilesSummary].compactMap(\.self))
            .map { page.paragraph("note: " + $0, indent: 6) }.joined()
        let verdict = verdict(report)
        return summary(report, page) + "\n" + classes(report, page) + (remarks.isEmpty ? "" : "\n" + remarks) + bad(report, page)
            + damaged(report, page) + contradictions(report, page) + leaks(report, page)
            + (verdict.isEmpty ? "" : "\n" + page.paragraph(verdict, indent: 0))
    }

    /// The width that lines are broken to.
    private struct Page {
        let columns: Int

        func paragraph(_ text: String, indent: Int) -> String { Terminal.paragraph(text, indent: indent, columns: columns) }
    }

    private static func summary(_ report: DataReport, _ page: Page) -> String {
        let form = report.data.findings.form.map { [(label: "table", text: $0.text)] } ?? []
        return ([(label: "data", text: report.data.path.printable)] + form + facts(report)).map {
            page.paragraph($0.label.padded(toColumns: 10) + $0.text, indent: 10)
        }.joined()
    }

    /// "62 clips in 5 classes (61 H.264 videos, 1 unreadable)".
    package static func clips(_ report: DataReport) -> String {
        let unfit = report.bad.count - report.unreadable
        let kinds =
            report.kinds.map { count($0.clips, of: $0.name) }
            + (report.unreadable == 0 ? [] : ["\(Formatting.grouped(report.unreadable)) unreadable"])
            + (unfit == 0 ? [] : ["\(Formatting.grouped(unfit)) unusable"])
        return "\(Formatting.count(report.clips.count, "clip")) in \(Formatting.count(report.data.classes.count, "class", "classes"))"
            + (kinds.isEmpty ? "" : " (\(Formatting.list(kinds, atMost: 4)))")
    }

    /// The number, kinds, sizes and lengths of the clips, in words.
    package static func facts(_ report: DataReport) -> [(label: String, text: String)] {
        let areVectors = report.kinds.map(\.name) == [ClipFacts.vectors]
        let sizes = report.sizes.map {
            (areVectors ? Formatting.count($0.columns, "feature") : "\($0.columns)x\($0.rows)")
                + ($0.channels == 3 || areVectors ? "" : " with \(Formatting.count($0.channels, "channel"))")
                + " (\(Formatting.grouped($0.clips)))"
        }
        let texts = [
            clips(report), sizes.isEmpty ? nil : Formatting.list(sizes, atMost: 4), report.frames.map { spread($0, 0) },
            report.rates.map { spread($0, 2) }, report.durations.map { spread($0, 1) },
        ]
        return zip(factLabels, texts).compactMap { label, text in text.map { (label, $0) } }
    }

    /// The labels of `facts`, in their order.
    package static let factLabels = ["clips", "size", "frames", "frames/s", "seconds"]

    /// Clips of one kind: "61 H.264 videos", "2 folders of PNG pictures".
    private static func count(_ clips: Int, of name: String) -> String {
        guard name.hasSuffix(" pictures") else { return Formatting.count(clips, kind(name)) }
        let coding = String(name.dropLast(" pictures".count))
        return Formatting.count(clips, "folder") + " of \(coding == "mjpeg" ? "JPEG" : coding.uppercased()) pictures"
    }

    /// The kind of a file as a noun: "H.264 video", ".bin file".
    private static func kind(_ name: String) -> String {
        if name == "bin" || name == "npy" { return ".\(name) file" }
        if name == ClipFacts.vectors { return ".npy vector file" }
        guard name.hasSuffix(" video") else { return name }
        let codec = String(name.dropLast(6))
        return (codecs[codec] ?? codec) + " video"
    }

    /// The usual names of the codecs that ffmpeg abbreviates.
    private static let codecs = [
        "h264": "H.264", "hevc": "H.265", "av1": "AV1", "vp8": "VP8", "vp9": "VP9", "mpeg4": "MPEG-4", "mpeg2video": "MPEG-2",
        "mpeg1video": "MPEG-1", "msmpeg4v2": "MS-MPEG-4", "msmpeg4v3": "MS-MPEG-4", "mjpeg": "Motion JPEG", "prores": "ProRes",
        "dnxhd": "DNxHD", "theora": "Theora", "gif": "GIF", "wmv1": "WMV", "wmv2": "WMV", "wmv3": "WMV", "vc1": "VC-1",
        "flv1": "Flash", "h263": "H.263", "rawvideo": "uncompressed", "ffv1": "FFV1", "huffyuv": "HuffYUV", "dvvideo": "DV",
        "png": "PNG", "apng": "APNG", "cinepak": "Cinepak", "jpeg2000": "JPEG 2000", "vvc": "H.266",
    ]

    /// "16 to 300, median 75", or one number if it is the same for all clips.
    private static func spread(_ spread: DataReport.Spread, _ digits: Int) -> String {
        func text(_ value: Double) -> String { Formatting.fixed(value, value == value.rounded() ? 0 : max(digits, 1)) }
        if spread.minimum == spread.maximum { return "\(text(spread.minimum)) in every clip" }
        return "\(text(spread.minimum)) to \(text(spread.maximum)), median \(text(spread.median))"
    }

    private static func classes(_ report: DataReport, _ page: Page) -> String {
        let counts = report.splits.map { report.data.counts(of: $0) }
        var rows = [["class"] + report.splits.map(\.rawValue)]
        for (label, name) in report.data.classes.enumerated().prefix(mostClasses) {
            rows.append([name.printable.shortened(toColumns: max(16, page.columns - 32))] + counts.map { "\($0[label])" })
        }
        if report.data.classes.count > mostClasses { rows.append(["... \(report.data.classes.count - mostClasses) more classes"]) }
        if report.data.classes.count > 1 { rows.append(["all"] + counts.map { "\($0.reduce(0, +))" }) }
        return Formatting.table(rows, right: Set(1...max(1, report.splits.count)), indent: "")
    }

    private static func bad(_ report: DataReport, _ page: Page) -> String {
        section("Bad clips", report.bad, "bad clips", page) { "  \($0.entry.id.printable): \($0.reason ?? "")" }
    }

    private static func damaged(_ report: DataReport, _ page: Page) -> String {
        section("Damaged clips", report.damaged, "damaged clips", page) {
            "  \($0.entry.id.printable): \($0.facts?.damageText ?? "")"
        }
    }

    private static func contradictions(_ report: DataReport, _ page: Page) -> String {
        section("Clips with two labels", report.contradictions, "clips with two labels", page) { "  \(report.text($0))" }
    }

    private static func leaks(_ report: DataReport, _ page: Page) -> String {
        section("Clips that look the same in two splits", report.leaks ?? [], "pairs", page) { leak in
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
    private static func section<Item>(
        _ title: String, _ items: [Item], _ noun: String, _ page: Page, _ text: (Item) -> String
    ) -> String {
        guard !items.isEmpty else { return "" }
        let more = items.count > mostListed ? "  ... \(items.count - mostListed) more \(noun) (--json lists all)\n" : ""
        return "\n\(title)\n" + items.prefix(mostListed).map { page.paragraph(text($0), indent: 6) }.joined() + more
    }

    /// Whether all clips can be read, and the number of leaks. Bad clips are not mentioned: they have a list, and the caller reports
    /// the consequences.
    private static func verdict(_ report: DataReport) -> String {
        let damaged = report.damaged.count
        var sentences =
            report.bad.isEmpty
            ? ["All clips can be read\(damaged == 0 ? "" : ", but \(damaged) \(damaged == 1 ? "is" : "are") damaged")."] : []
        if !report.contradictions.isEmpty {
            sentences.append(
                "\(Formatting.count(report.contradictions.count, "clip")) \(report.contradictions.count == 1 ? "has" : "have") two labels.")
        }
        if let leaks = report.leaks, report.splits.count > 1 {
            sentences.append(
                leaks.isEmpty
                    ? "No two clips in different splits show the same footage."
                    : "\(Formatting.count(leaks.count, "pair")) of clips in different splits \(leaks.count == 1 ? "looks" : "look") the same."
            )
        }
        return sentences.joined(separator: " ")
    }
}
