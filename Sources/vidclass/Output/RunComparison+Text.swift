import VidReport
import VidRun
import VidSystem
import VidTrain

extension RunComparison {
    func text(_ style: OutputStyle) -> String {
        var text = metrics(style)
        text += curves(style)
        text += "\n" + tests(style)
        text += configurations(style)
        return text
    }

    private func metrics(_ style: OutputStyle) -> String {
        func column(_ value: (Run) -> String) -> [String] { runs.map(value) }
        return FittedTable.text(
            [
                .init("run", column { $0.name.printable }, rank: 0, isFlexible: true),
                .init("accuracy", column { $0.accuracy.map { RunComparison.percent($0) } ?? "" }, isRight: true, rank: 1),
                .init("95 % interval", column { $0.accuracy?.interval.map { RunComparison.percent($0) } ?? "" }, isRight: true, rank: 2),
                .init("clips", column { $0.evaluation.map { Formatting.grouped($0.clips.count) } ?? "" }, isRight: true, rank: 6),
                .init("loss", column { $0.evaluation.map { Formatting.fixed($0.loss, 4) } ?? "" }, isRight: true, rank: 3),
                .init("F1", column { $0.evaluation.map { Formatting.fixed($0.macroF1, 3) } ?? "" }, isRight: true, rank: 4),
                .init("best epoch", column(RunComparison.best), isRight: true, rank: 5),
                .init("parameters", column { $0.facts.parameters.map { Formatting.grouped($0) } ?? "" }, isRight: true, rank: 8),
                .init("time", column { $0.facts.seconds.map { Formatting.duration($0) } ?? "" }, isRight: true, rank: 7),
            ], style: style)
    }

    /// "6 (val acc 0.7222)"
    private static func best(_ run: Run) -> String {
        guard let epoch = run.facts.bestEpoch, let value = run.facts.bestValue else { return "" }
        return "\(epoch) (\(RunFacts.shortened(run.facts.monitor ?? "")) \(Formatting.fixed(value, 4)))"
    }

    private static func percent(_ measure: Measure) -> String { Formatting.fixed(measure.value * 100, 1) + " %" }

    private static func percent(_ interval: Interval) -> String {
        "\(Formatting.fixed(interval.low * 100, 1)) - \(Formatting.fixed(interval.high * 100, 1)) %"
    }

    /// A row of blocks per run, all on one scale: the validation accuracy, or the training accuracy if no run has a validation split.
    private func curves(_ style: OutputStyle) -> String {
        let hasValidation = runs.contains { $0.facts.results?.epochs.contains { $0.validationAccuracy != nil } == true }
        let values = runs.map { run in
            (run.facts.results?.epochs ?? []).map { hasValidation ? $0.validationAccuracy ?? .nan : $0.trainAccuracy }
        }
        let finite = values.joined().filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max(), values.contains(where: { $0.count > 1 }) else { return "" }
        let width = style.columns ?? 80
        let nameColumns = min(runs.map(\.name.printable.columns).max() ?? 0, max(8, width / 4))
        let cells = min(60, width - 2 - nameColumns - 2 - 8)
        let longest = values.map(\.count).max() ?? 0
        var text =
            "\n"
            + style.fitted(
                "\(hasValidation ? "validation" : "training") accuracy, epoch by epoch, from ▁ \(Formatting.fixed(low, 3)) to █ \(Formatting.fixed(high, 3))"
            )
            + "\n"
        for (run, values) in zip(runs, values) where !values.isEmpty {
            // Runs with fewer epochs have shorter rows.
            let own = longest <= cells ? values.count : max(1, values.count * cells / longest)
            let last = Formatting.fixed(values.last ?? .nan, 3)
            text +=
                "  " + run.name.printable.shortened(toColumns: nameColumns).padded(toColumns: nameColumns) + "  "
                + style.paint(Sparkline.text(values, in: low...high, columns: own), .cyan) + "  " + last + "\n"
        }
        return text
    }

    // MARK: - Tests

    private func tests(_ style: OutputStyle) -> String {
        let width = style.columns ?? 80
        func paragraph(_ text: String) -> String { Terminal.paragraph(text, indent: 2, columns: width) }
        var text = ""
        for run in runs {
            guard let missing = run.missing else { continue }
            let advice = "Run `\(ShellText.vidclass("eval", "--checkpoint", ShellText.path(run.facts.folder.bestPath)))`"
            text += paragraph(
                "\(run.name.printable): \(missing.printable), so it cannot be tested. \(advice), then compare again.")
        }
        for pair in pairs { text += paragraph(sentence(pair)) }
        if tests > 0 {
            text += paragraph(
                "p: how often two equally good models would differ this much by chance (McNemar's exact test)"
                    + (tests > 1 ? ", corrected for \(tests) pairs (Holm)" : "") + "; below 0.05 counts as a difference.")
        }
        return text
    }

    /// "train and train2: within noise: of 160 clips, 3 only train got right, 5 only train2; p = 0.73"
    func sentence(_ pair: Pair) -> String {
        let (a, b) = (runs[pair.first].name.printable, runs[pair.second].name.printable)
        guard pair.common > 0 else {
            return "\(a) and \(b): no clips in common, so they cannot be tested. They were evaluated on different data or different splits "
                + "of it\(splitsDiffer(pair)); evaluate both on the same clips with "
                + "`\(ShellText.vidclass("eval", "--checkpoint", "FILE", "--data", "PATH"))`."
        }
        let (first, second) = (pair.test.onlyFirst, pair.test.onlySecond)
        let counts =
            "of \(Formatting.count(pair.common, "clip")), \(Formatting.grouped(first)) only \(a) got right, \(Formatting.grouped(second)) only \(b)"
        let verdict =
            pair.isWithinNoise
            ? "\(a) and \(b): within noise" : first > second ? "\(a) is better than \(b)" : "\(b) is better than \(a)"
        var text = "\(verdict): \(counts); p = \(RunComparison.pText(pair.adjusted))"
        var asides: [String] = []
        if pair.onlyInFirst > 0 { asides.append("\(Formatting.count(pair.onlyInFirst, "clip")) only in \(a)") }
        if pair.onlyInSecond > 0 { asides.append("\(Formatting.count(pair.onlyInSecond, "clip")) only in \(b)") }
        if pair.relabelled > 0 { asides.append("\(Formatting.count(pair.relabelled, "clip")) with different labels") }
        if !asides.isEmpty { text += " (left out: \(asides.joined(separator: ", "))\(splitsDiffer(pair)))" }
        return text
    }

    /// The configuration keys that explain why the clips differ.
    private func splitsDiffer(_ pair: Pair) -> String {
        let keys = differences.filter { difference in
            (difference.key == "seed" || difference.key == "data.path" || difference.key.hasSuffix("_split"))
                && difference.values[pair.first] != difference.values[pair.second]
        }.map(\.key)
        return keys.isEmpty ? "" : ": \(keys.joined(separator: ", ")) \(keys.count == 1 ? "differs" : "differ")"
    }

    /// Two significant digits: "0.73", "0.0031", "below 0.0001".
    static func pText(_ value: Double) -> String {
        if value < 0.0001 { return "below 0.0001" }
        return Formatting.fixed(value, value < 0.001 ? 5 : value < 0.01 ? 4 : value < 0.1 ? 3 : 2)
    }

    // MARK: - Configurations

    private func configurations(_ style: OutputStyle) -> String {
        guard !differences.isEmpty else { return "\nthe configurations are the same\n" }
        var columns = [FittedTable.Column("configuration", differences.map(\.key.printable), rank: 0, isFlexible: true, least: 8)]
        for (index, run) in runs.enumerated() {
            columns.append(
                .init(
                    run.name.printable, differences.map { $0.values[index].isEmpty ? "-" : $0.values[index].printable }, rank: 0,
                    isFlexible: true, least: 6))
        }
        return "\n" + FittedTable.text(columns, style: style)
    }
}

extension RunComparison {
    /// The document of `--json`.
    var document: JSONNode {
        let entries = runs.map { run -> JSONNode in
            let interval = run.accuracy?.interval
            return .object([
                ("run", .string(run.facts.folder.path)), ("state", .string(run.facts.state.rawValue)),
                ("best_epoch", .integer(ifAny: run.facts.bestEpoch)), ("monitor", .string(ifAny: run.facts.monitor)),
                ("best_value", .number(ifAny: run.facts.bestValue)), ("clips", .integer(ifAny: run.evaluation?.clips.count)),
                ("categorical_accuracy", .number(ifAny: run.accuracy?.value)),
                ("categorical_accuracy_95", interval.map { .array([.number($0.low), .number($0.high)]) } ?? .null),
                ("loss", .number(ifAny: run.evaluation?.loss)), ("macro_f1", .number(ifAny: run.evaluation?.macroF1)),
                ("parameters", .integer(ifAny: run.facts.parameters)), ("seconds", .number(ifAny: run.facts.seconds)),
                ("missing", .string(ifAny: run.missing)),
            ])
        }
        let tested = pairs.map { pair -> JSONNode in
            .object([
                ("runs", .array([.string(runs[pair.first].facts.folder.path), .string(runs[pair.second].facts.folder.path)])),
                ("clips", .integer(pair.common)), ("only_first_correct", .integer(pair.test.onlyFirst)),
                ("only_second_correct", .integer(pair.test.onlySecond)),
                ("p", pair.common > 0 ? .number(pair.test.pValue) : .null),
                ("p_holm", pair.common > 0 ? .number(pair.adjusted) : .null),
                ("within_noise", pair.common > 0 ? .bool(pair.isWithinNoise) : .null),
                ("clips_only_in_first", .integer(pair.onlyInFirst)), ("clips_only_in_second", .integer(pair.onlyInSecond)),
                ("clips_relabelled", .integer(pair.relabelled)),
            ])
        }
        let keys = differences.map { difference -> (String, JSONNode) in
            (difference.key, .array(difference.values.map { $0.isEmpty ? .null : .string($0) }))
        }
        return .object([("runs", .array(entries)), ("pairs", .array(tested)), ("config_differences", .object(keys))])
    }
}
