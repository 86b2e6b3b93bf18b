import VidModel
import VidSystem
import VidTensor

/// What stands around the figures: data, model, cost, environment, how to repeat it.
extension ReportPage {
    var data: String {
        guard let data = report.data else { return "" }
        var facts: [(label: String, value: String)] = [("from", Markup.path(data.path))]
        facts += data.facts.map { ($0.label, Markup.escaped($0.text)) }
        let names = ["train": "training", "val": "validation", "test": "test"]
        for part in data.parts {
            facts.append((names[part.name] ?? part.name, Formatting.count(part.counts.reduce(0, +), "clip")))
        }
        if data.skippedCount > 0 {
            facts.append(("left out", "\(Formatting.count(data.skippedCount, "clip")) that cannot be read (skipped.csv)"))
        }
        switch data.pairCount {
        case nil: facts.append(("leaks", "not looked for"))
        case 0: facts.append(("leaks", "no clip is in two parts"))
        case let count?:
            facts.append(
                (
                    "leaks",
                    "<span class=\"bad\">\(Formatting.count(count, "pair")) of clips in different parts show the same</span>: the figures may be too good"
                ))
        }
        var text = Table.facts("The data as it was when the training began", facts)
        if !data.remarks.isEmpty {
            text += "<ul>\n" + data.remarks.map { "<li>\(Markup.escaped($0))</li>\n" }.joined() + "</ul>\n"
        }
        text += partTable(data, names)
        if !data.pairs.isEmpty {
            text += list(
                "Clips alike in different parts",
                data.pairs.map {
                    "\(Markup.path($0.first)) and \(Markup.path($0.second))" + ($0.isIdentical ? " (identical)" : "")
                }, of: data.pairCount ?? 0)
        }
        if !data.skipped.isEmpty {
            text += list(
                "Clips left out", data.skipped.map { "\(Markup.path($0.clip)): \(Markup.escaped($0.reason))" }, of: data.skippedCount)
        }
        return text
    }

    private func list(_ title: String, _ items: [String], of count: Int) -> String {
        let more = count > items.count ? "<li>and \(count - items.count) more</li>\n" : ""
        return "<details><summary>\(title) (\(count))</summary>\n<ul>\n\(items.map { "<li>\($0)</li>\n" }.joined())\(more)</ul></details>\n"
    }

    private func partTable(_ data: DataSummary, _ names: [String: String]) -> String {
        guard !data.parts.isEmpty, !data.classes.isEmpty else { return "" }
        let table = Table(
            "Clips of each class", [.init("class")] + data.parts.map { .init(names[$0.name] ?? $0.name, isNumber: true) },
            rows: data.classes.indices.map { label in
                [Markup.name(data.classes[label])] + data.parts.map { Formatting.grouped($0.counts[label]) }
            }, footer: [["all"] + data.parts.map { Formatting.grouped($0.counts.reduce(0, +)) }])
        return "<details\(data.classes.count <= 12 ? " open" : "")><summary>Clips of each class</summary>\n\(table.html)</details>\n"
    }

    var model: String {
        let model = report.model
        var facts: [(label: String, value: String)] = [
            ("input", Markup.escaped(model.input)),
            (
                "parameters",
                "\(Formatting.grouped(model.parameters.total)), of which \(Formatting.grouped(model.parameters.trainable)) trained"
            ),
        ]
        for line in model.training { facts.append((Markup.escaped(line.label), Markup.escaped(line.text))) }
        if let unchanged = report.story?.frozenUnchanged {
            facts.append(("frozen weights", unchanged ? "the same to the last bit before and after" : "CHANGED in training"))
        }
        let layers = Table(
            "Layers from the frame to the classes",
            [.init("layer"), .init("type"), .init("output"), .init("parameters", isNumber: true), .init("trained")],
            rows: model.layers.map { layer in
                [
                    Markup.escaped(layer.name), Markup.escaped(layer.type), Markup.escaped(layer.outputShape.description),
                    layer.parameters == 0 ? "\u{2013}" : Formatting.grouped(layer.parameters),
                    layer.parameters == 0 ? "\u{2013}" : layer.isTrainable ? "yes" : "frozen",
                ]
            })
        return Table.facts("What was trained, and how", facts) + layers.html
    }

    var cost: String {
        var facts: [(label: String, value: String)] = []
        if let story = report.story {
            if let seconds = story.seconds { facts.append(("training", Formatting.duration(seconds))) }
            if let last = story.epochs.last, story.epochs.count > 1, let first = story.epochs.first {
                let each = (last.seconds - first.seconds) / Double(story.epochs.count - 1)
                facts.append(("an epoch", "\(Formatting.fixed(each, each < 10 ? 2 : 0)) s, after the first"))
            }
            if let peak = story.peakBytes, peak > 0 { facts.append(("memory in training", "at most " + Formatting.bytes(peak))) }
        }
        facts.append(
            (
                "evaluation",
                "\(Formatting.fixed(report.seconds, report.seconds < 10 ? 2 : 0)) s, \(Formatting.fixed(Double(metrics.clips) / max(report.seconds, 1e-9), 1)) clips a second"
            ))
        if report.peakBytes > 0 { facts.append(("memory in all", "at most " + Formatting.bytes(report.peakBytes))) }
        return Table.facts("Minutes and seconds, and resident memory", facts)
    }

    var environment: String {
        Table.facts("What it ran on (environment.json)", report.environment.facts.map { ($0.label, Markup.escaped($0.value)) })
    }

    var repetition: String {
        var text = ""
        if let story = report.story {
            let folder = story.folder
            if !story.command.isEmpty {
                text += "<p>The training was started by</p>\n" + code(ShellText.command(["vidclass"] + story.command.dropFirst()))
                if story.command.contains("--resume") { text += "<p>which went on with a run that was begun before.</p>\n" }
            }
            text += "<p>The same training from its resolved configuration, defaults included, into a new folder:</p>\n"
            text += code(ShellText.command(["vidclass", "train", "--config", folder + "/config.json"]))
        }
        if let command = report.command {
            text += "<p>This evaluation was made by</p>\n" + code(ShellText.command(["vidclass"] + command.dropFirst()))
        }
        text +=
            "<p>Use the model:</p>\n"
            + code(ShellText.command(["vidclass", "predict", "video.mp4", "--checkpoint", report.model.checkpoint]))
        return text + "<p>Measure it on other clips:</p>\n"
            + code(ShellText.command(["vidclass", "eval", "--checkpoint", report.model.checkpoint, "--data", "other-videos"]))
    }

    private func code(_ text: String) -> String {
        "<pre tabindex=\"0\"><code>\(Markup.escaped(text))</code></pre>\n"
    }
}
