import VidSystem
import VidTrain

/// The metrics: headline, curves, confusion, classes, calibration.
extension ReportPage {
    var headline: String {
        let accuracy = DataElement.percent("accuracy", metrics.accuracy.value)
        let range = span("accuracy", metrics.accuracy.interval)
        var text = "<p class=\"lead\">The model classified <strong>\(DataElement.count("correct", metrics.correct)) of "
        text += "\(DataElement.count("clips", metrics.clips)) \(metrics.clips == 1 ? "clip" : "clips") correctly</strong>: an accuracy of "
        text += accuracy + (range.isEmpty ? "." : " (95\u{A0}% interval: \(range)).")
        text += "</p>\n<p>\(sentences.guessing)</p>\n<p>\(sentences.origin)</p>\n<dl class=\"cards\">\n"
        text += card("Accuracy", accuracy, range)
        func percentCard(_ title: String, _ name: String, _ measure: Measure) -> String {
            card(title, DataElement.percent(name, measure.value), shownRange(measure).map { span(name, $0) } ?? sentences.noRange(measure))
        }
        func plainCard(_ title: String, _ name: String, _ measure: Measure) -> String {
            let digits = measure.digits
            return card(
                title, DataElement.fixed(name, measure.value, digits),
                shownRange(measure).map { DataElement.fixed(name, $0, digits) } ?? sentences.noRange(measure))
        }
        if let topFive = metrics.topFive {
            text += percentCard("Top-5 accuracy: the true class has one of the five highest scores", "top_5_accuracy", topFive)
        }
        text += percentCard(
            "Balanced accuracy: the mean recall of the classes\(metrics.counts.support.contains(0) ? " that have clips" : "")",
            "balanced_accuracy", metrics.balancedAccuracy)
        text += plainCard("Macro F1: the mean F1 of the classes", "macro.f1", metrics.macroF1)
        text += plainCard("Log loss", "loss", metrics.loss)
        // Resampling makes calibration look worse than it is, so an interval of it would mislead.
        text += card(
            "Expected calibration error", DataElement.percent("expected_calibration_error", metrics.calibrationError.value),
            "about \(sentences.calibrationByChance) by chance alone")
        text +=
            "</dl>\n<p class=\"note\">The ranges are 95\u{A0}% confidence intervals: Wilson's score interval for accuracies, recall, precision "
        text +=
            "and the F1 of a class, and the bootstrap (\(Bootstrap.resamples) resamples of the clips) for balanced accuracy, macro F1, log "
        text += "loss and the Brier score."
        if metrics.clippedLosses > 0 {
            text += " \(Formatting.count(metrics.clippedLosses, "clip gives", "clips give")) the true class a score below 2.2e-16; "
            text += "the log loss uses 2.2e-16 instead."
        }
        return text + "</p>\n"
    }

    private func card(_ title: String, _ value: String, _ span: String) -> String {
        "<div><dt>\(title)</dt><dd><span class=\"big\">\(value)</span>"
            + "<br><span class=\"span\">\(span)</span></dd></div>\n"
    }

    /// The interval of a bootstrapped metric, unless it misses the metric: resampling repeats clips, which lowers some metrics of many
    /// classes with few clips.
    private func shownRange(_ measure: Measure) -> Interval? {
        measure.interval.flatMap { $0.low <= measure.value && measure.value <= $0.high ? $0 : nil }
    }

    var curves: String {
        guard let story = report.story, !story.epochs.isEmpty else { return "" }
        var text = "<p>\(sentences.course)</p>\n<div class=\"plots\">\n"
        for (place, panel) in CurvePlot(story.epochs, best: story.bestEpoch, palette: .page).panels.enumerated() {
            text += plot(panel, id: "curve\(place)")
        }
        return text + "</div>\n<details><summary>These curves as a table</summary>\n\(epochTable(story))</details>\n"
    }

    private func epochTable(_ story: RunStory) -> String {
        let columns = ["epoch", "time", "loss", "accuracy", "validation loss", "validation accuracy", "learning rate"]
        // At most about 200 epochs, evenly spaced.
        let step = max(1, (story.epochs.count + 199) / 200)
        let shown = story.epochs.enumerated().filter { $0 % step == 0 || $0 == story.epochs.count - 1 || $1.epoch == story.bestEpoch }
        return Table.html(
            "Epochs" + (step > 1 ? " (one in \(step); results.csv has all)" : ""), columns.map { .init($0, isNumber: true) },
            rows: shown.map { _, epoch in
                [
                    "\(epoch.epoch)" + (epoch.epoch == story.bestEpoch ? " (best)" : ""), Formatting.duration(epoch.seconds),
                    Formatting.fixed(epoch.trainLoss, 4), Formatting.fixed(epoch.trainAccuracy, 4),
                    epoch.validationLoss.map { Formatting.fixed($0, 4) } ?? "\u{2013}",
                    epoch.validationAccuracy.map { Formatting.fixed($0, 4) } ?? "\u{2013}", "\(epoch.learningRate)",
                ]
            })
    }

    var confusion: String {
        var text = "<p>Rows are true classes; columns are the model's answers. Right answers are on the diagonal.</p>\n"
        text += "<div class=\"matrices\">\n"
        for kind in [ConfusionPlot.Kind.counts, .shares] {
            let picture = ConfusionPlot(metrics.classes, metrics.confusion, kind, palette: .page).picture
            text += plot(picture, id: "confusion-\(kind.rawValue)")
        }
        text += "</div>\n"
        let pairs = metrics.confusions(atMost: 10)
        if pairs.isEmpty {
            text += "<p>No clip was classified as a wrong class.</p>\n"
        } else {
            text += "<h3>Most often confused</h3>\n<ul>\n"
            for pair in pairs {
                let (truth, support) = (Markup.quoted(metrics.classes[pair.truth]), metrics.perClass[pair.truth].support)
                if support == 1 {
                    text += "<li>The only \(truth) clip was classified as "
                } else {
                    text += "<li>\(DataElement.count("confusion.\(pair.truth).\(pair.decision)", pair.clips)) of "
                    text += "\(DataElement.count("class.\(pair.truth).support", support)) \(truth) clips "
                    text += "\(pair.clips == 1 ? "was" : "were") classified as "
                }
                text += "\(Markup.quoted(metrics.classes[pair.decision]))</li>\n"
            }
            text += "</ul>\n"
        }
        return text + confusionTable
    }

    /// The counts as a table, for people who cannot see the picture.
    private var confusionTable: String {
        guard (2...25).contains(metrics.classes.count) else { return "" }
        let table = Table.html(
            "Number of clips by true class (rows) and the model's answer (columns)",
            [.init("true class")] + metrics.classes.map { .init(Markup.name($0), isNumber: true) },
            rows: metrics.confusion.enumerated().map { truth, row in
                [Markup.name(metrics.classes[truth])] + row.enumerated().map { DataElement.count("confusion.\(truth).\($0)", $1) }
            })
        return "<details><summary>The counts as a table</summary>\n\(table)</details>\n"
    }

    var classes: String {
        guard metrics.classes.count > 0 else { return "" }
        let columns: [Table.Column] =
            [.init("class")] + ["clips", "recall", "precision", "F1"].flatMap { [Table.Column($0, isNumber: true)] }
        let rows = metrics.perClass.enumerated().map { label, entry in
            [
                Markup.name(entry.label), DataElement.count("class.\(label).support", entry.support),
                cell("class.\(label).recall", entry.recall), cell("class.\(label).precision", entry.precision),
                cell("class.\(label).f1", entry.f1, asPercent: false),
            ]
        }
        let (macro, weighted) = (metrics.counts.macro, metrics.counts.weighted)
        func averages(_ name: String, _ values: ClassCounts.Averages) -> [String] {
            [
                DataElement.percent("\(name).recall", values.recall), DataElement.percent("\(name).precision", values.precision),
                DataElement.fixed("\(name).f1", values.f1),
            ]
        }
        let clips = DataElement.count("clips", metrics.clips)
        let table = Table.html(
            "Clips, recall, precision and F1 of each class, with 95\u{A0}% intervals", columns, rows: rows,
            footer: [
                ["mean of the classes", clips] + averages("macro", macro),
                ["mean weighted by clips", clips] + averages("weighted", weighted),
            ])
        let picture = ClassPlot(metrics, palette: .page).picture
        let isLong = metrics.classes.count > 30
        let words =
            "<p>Recall: of the clips of a class, how many the model found. Precision: of the clips given this label, how many deserve it. F1 "
            + "is the harmonic mean of both.</p>\n"
        return words + plot(picture, id: "class-plot")
            + (isLong
                ? "<details><summary>All \(metrics.classes.count) classes as a table</summary>\n\(table)</details>\n" : table)
            + (sentences.dashes.isEmpty ? "" : "<p class=\"note\">\(sentences.dashes)</p>\n")
    }

    private func cell(_ name: String, _ measure: Measure, asPercent: Bool = true) -> String {
        guard let interval = measure.interval else { return "\u{2013}" }
        let value = asPercent ? DataElement.percent(name, measure.value) : DataElement.fixed(name, measure.value)
        return value + "<br><span class=\"span\">" + (asPercent ? span(name, interval) : DataElement.fixed(name, interval)) + "</span>"
    }

    var calibration: String {
        let bins = metrics.calibration.bins.enumerated().filter { $1.clips > 0 }
        var text = "<p>\(sentences.calibration)</p>\n"
        text += "<div class=\"plots\">\n" + plot(ReliabilityPlot(metrics.calibration, palette: .page).picture, id: "reliability")
        let rows = bins.map { place, bin in
            let (low, high) = (Double(place) / Double(Calibration.binCount), Double(place + 1) / Double(Calibration.binCount))
            return [
                "\(Formatting.fixed(low * 100, 0)) to \(Formatting.fixed(high * 100, 0))&nbsp;%",
                DataElement.count("bin.\(place).clips", bin.clips),
                DataElement.percent("bin.\(place).confidence", bin.confidence), DataElement.percent("bin.\(place).accuracy", bin.accuracy),
            ]
        }
        return text
            + Table.html(
                "Clips by the score of the model's answer",
                [.init("score"), .init("clips", isNumber: true), .init("mean score", isNumber: true), .init("correct", isNumber: true)],
                rows: rows) + "</div>\n"
    }
}
