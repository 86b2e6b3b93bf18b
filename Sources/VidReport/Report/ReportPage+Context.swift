import VidModel
import VidSystem
import VidTensor
import VidTrain

/// The context of the metrics: data, model, cost, environment, and how to repeat the run.
extension ReportPage {
    var data: String {
        guard let data = report.evaluatedData ?? report.data else { return "" }
        var facts: [(label: String, value: String)] = [("source", Markup.path(data.path))]
        facts += data.facts.map { ($0.label, Markup.escaped($0.text)) }
        let isOther = report.evaluatedData != nil
        var names = ["train": "training", "val": "validation", "test": "test"]
        // Data without splits counts as training clips.
        if isOther, report.split == .other, data.splits.count == 1 { names["train"] = "clips" }
        facts += data.splits.map { (names[$0.name] ?? $0.name, Formatting.count($0.counts.reduce(0, +), "clip")) }
        if data.skippedCount > 0 { facts.append(("left out", "\(Formatting.count(data.skippedCount, "bad clip")) (see skipped.csv)")) }
        if let duplicates = duplicates(data) { facts.append(("duplicates", duplicates)) }
        var text = Table.facts(isOther ? "The data of this evaluation" : "The data at the start of the training", facts)
        if !data.remarks.isEmpty {
            text += "<ul>\n" + data.remarks.map { "<li>\(Markup.escaped($0))</li>\n" }.joined() + "</ul>\n"
        }
        text += splitTable(data, names)
        if !data.pairs.isEmpty {
            text += list(
                "Clips that look the same in different splits",
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

    /// The result of the search for clips that look the same in different splits; nil without two splits.
    private func duplicates(_ data: DataSummary) -> String? {
        guard data.splits.count > 1 else { return nil }
        switch data.pairCount {
        case nil: return "not checked"
        case 0: return "no clips in different splits look the same"
        case let count?:
            let look = "\(Formatting.count(count, "pair")) of clips in different splits \(count == 1 ? "looks" : "look") the same"
            return "<span class=\"bad\">\(look)</span>: the metrics may be too optimistic"
        }
    }

    private func list(_ title: String, _ items: [String], of count: Int) -> String {
        let more = count > items.count ? "<li>and \(count - items.count) more</li>\n" : ""
        return "<details><summary>\(title) (\(count))</summary>\n<ul>\n\(items.map { "<li>\($0)</li>\n" }.joined())\(more)</ul></details>\n"
    }

    private func splitTable(_ data: DataSummary, _ names: [String: String]) -> String {
        guard !data.splits.isEmpty, !data.classes.isEmpty else { return "" }
        let table = Table.html(
            "By split", [.init("class")] + data.splits.map { .init(names[$0.name] ?? $0.name, isNumber: true) },
            rows: data.classes.indices.map { label in
                [Markup.name(data.classes[label])] + data.splits.map { Formatting.grouped($0.counts[label]) }
            }, footer: [["all"] + data.splits.map { Formatting.grouped($0.counts.reduce(0, +)) }])
        return "<details\(data.classes.count <= 12 ? " open" : "")><summary>Clips of each class</summary>\n\(table)</details>\n"
    }

    var model: String {
        let model = report.model
        var facts: [(label: String, value: String)] = [
            ("input", Markup.escaped(model.input)),
            (
                "parameters",
                "\(Formatting.grouped(model.parameters.total)) (\(Formatting.grouped(model.parameters.trainable)) trained)"
            ),
        ]
        for line in model.training { facts.append((Markup.escaped(line.label), Markup.escaped(line.text))) }
        if let unchanged = report.story?.frozenUnchanged {
            facts.append(("frozen weights", unchanged ? "unchanged, bit for bit" : "CHANGED during the training"))
        }
        let layers = Table.html(
            "Layers, from the frames to the classes",
            [.init("layer"), .init("type"), .init("output"), .init("parameters", isNumber: true), .init("trained")],
            rows: model.layers.map { layer in
                [
                    Markup.escaped(layer.name), Markup.escaped(layer.type), Markup.escaped(layer.outputShape.description),
                    layer.parameters == 0 ? "\u{2013}" : Formatting.grouped(layer.parameters),
                    layer.parameters == 0 ? "\u{2013}" : layer.isTrainable ? "yes" : "frozen",
                ]
            })
        return Table.facts("Model and training settings", facts) + layers
    }

    var cost: String {
        var facts: [(label: String, value: String)] = []
        if let story = report.story {
            if let seconds = story.record?.seconds { facts.append(("training", Formatting.duration(seconds))) }
            if let last = story.epochs.last, story.epochs.count > 1, let first = story.epochs.first {
                let each = (last.seconds - first.seconds) / Double(story.epochs.count - 1)
                facts.append(("one epoch", "\(Formatting.fixed(each, each < 10 ? 2 : 0)) s on average, excluding the first"))
            }
            if let peak = story.record?.peakBytesBefore, peak > 0 { facts.append(("training memory", "at most " + Formatting.bytes(peak))) }
        }
        let rate = Double(metrics.clips) / max(report.seconds, 1e-9)
        facts.append(
            (
                "evaluation",
                "\(Formatting.fixed(report.seconds, report.seconds < 1 ? 3 : report.seconds < 10 ? 2 : 0)) s, \(Formatting.fixed(rate, rate < 100 ? 1 : 0)) clips per second"
            ))
        if report.peakBytes > 0 { facts.append(("memory with this report", "at most " + Formatting.bytes(report.peakBytes))) }
        return Table.facts("Training and evaluation", facts)
    }

    var environment: String {
        Table.facts("Program and machine (environment.json)", report.environment.facts.map { ($0.label, Markup.escaped($0.value)) })
    }

    var repetition: String {
        var text = ""
        if let story = report.story {
            let folder = story.folder
            if let command = story.record?.command, !command.isEmpty {
                let isResumed = command.contains("--resume")
                text += code("The training was \(isResumed ? "resumed" : "started") with", ["vidclass"] + command.dropFirst())
            }
            // A fold's configuration does not name its clips; that of all folds does.
            if let folds = ReportPage.folds(story.record?.command ?? []) {
                let words = "To repeat the training of all folds from their complete configuration in a new folder:"
                text += code(words, ["vidclass", "train", "--config", PathText.parent(folder) + "/config.json", "--folds", folds])
            } else {
                let words = "To repeat the training from its complete configuration in a new folder:"
                text += code(words, ["vidclass", "train", "--config", folder + "/config.json"])
            }
        }
        if let command = report.command, !command.isEmpty {
            text += code("This evaluation was started with", ["vidclass"] + command.dropFirst())
        }
        return text
            + code(
                "To evaluate the model on other clips:",
                ["vidclass", "eval", "--checkpoint", report.model.checkpoint, "--data", "other-videos"])
    }

    /// The value of `--folds` in a command.
    private static func folds(_ command: [String]) -> String? {
        guard let place = command.firstIndex(where: { $0 == "--folds" || $0.hasPrefix("--folds=") }) else { return nil }
        if command[place] != "--folds" { return String(command[place].dropFirst("--folds=".count)) }
        return place + 1 < command.count ? command[place + 1] : nil
    }

    private func code(_ text: String, _ command: [String]) -> String {
        "<p>\(text)</p>\n<pre tabindex=\"0\"><code>\(Markup.escaped(ShellText.command(command)))</code></pre>\n"
    }
}
