import VidSystem
import VidTrain

/// The figures: headline, curves, confusion, classes, calibration.
extension ReportPage {
    var headline: String {
        let right =
            "<strong>right on \(Figure.count("correct", metrics.correct).html) of \(Figure.count("clips", metrics.clips).html) clips</strong>"
        var text = "<p class=\"lead\">The model is \(right): an accuracy of \(Figure.percent("accuracy", metrics.accuracy.value).html)"
        text += metrics.accuracy.interval == nil ? "." : " (\(span("accuracy", metrics.accuracy.interval)))."
        text += "</p>\n<p>\(chance)</p>\n<p>\(whichClips)</p>\n<dl class=\"cards\">\n"
        text += card("Accuracy", Figure.percent("accuracy", metrics.accuracy.value), span("accuracy", metrics.accuracy.interval))
        if let topFive = metrics.topFive {
            text += card(
                "Among the five highest scores", Figure.percent("top_5_accuracy", topFive.value), span("top_5_accuracy", topFive.interval))
        }
        text += card(
            "Balanced accuracy: the mean of the classes' recall", Figure.percent("balanced_accuracy", metrics.balancedAccuracy.value),
            span("balanced_accuracy", metrics.balancedAccuracy.interval))
        text += card(
            "Macro F1: the mean of the classes' F1", Figure.fixed("macro.f1", metrics.macroF1.value),
            plainSpan("macro.f1", metrics.macroF1.interval))
        text += card("Log loss", Figure.fixed("loss", metrics.loss.value), plainSpan("loss", metrics.loss.interval))
        text += card(
            "Expected calibration error", Figure.percent("expected_calibration_error", metrics.calibrationError.value),
            span("expected_calibration_error", metrics.calibrationError.interval))
        text += "</dl>\n<p class=\"note\">In grey, the range that the true value lies in with 95 % confidence: Wilson's score interval for "
        text +=
            "accuracy, recall, precision and F1, the percentiles of \(Bootstrap.resamples) resamples of the clips (bootstrap) for the rest."
        if metrics.clippedLosses > 0 {
            text += " \(Formatting.count(metrics.clippedLosses, "clip gives", "clips give")) the true class a score below 2.2e-16 and "
            text += "\(metrics.clippedLosses == 1 ? "counts" : "count") as that in the log loss."
        }
        return text + "</p>\n"
    }

    private func card(_ title: String, _ figure: Figure, _ span: String) -> String {
        "<div><dt>\(title)</dt><dd><span class=\"big\">\(figure.html)</span>"
            + "<br><span class=\"span\">\(span.isEmpty ? "no interval: all resamples agree" : span)</span></dd></div>\n"
    }

    /// What always saying one class would give.
    private var chance: String {
        let majority = metrics.majority
        guard metrics.classes.indices.contains(majority.label) else { return "" }
        let share = Figure.percent("majority_share", majority.share).html
        let always =
            "Always saying \(Markup.name(metrics.classes[majority.label])), the most frequent class here, would be right on \(share) of the clips"
        guard let interval = metrics.accuracy.interval else { return always + "." }
        if interval.low > majority.share { return always + ": the model does clearly better." }
        if interval.high < majority.share { return always + ": <span class=\"bad\">the model does worse than that</span>." }
        return always + ": <span class=\"bad\">the difference is within what chance would give with so few clips</span>."
    }

    /// Which clips these were, and what that says of the figures.
    private var whichClips: String {
        var text: String
        switch report.part {
        case .test:
            text =
                "These are the clips of the <strong>test part</strong>: neither the training nor the choice of the best epoch has seen them."
        case .validation:
            text =
                "These are the clips of the <strong>validation part</strong>. They were not trained on, but the best epoch was chosen by them, so "
                + "the figures are <strong>somewhat too good</strong>. A test part of its own would tell (data.test_split, or a folder named test)."
        case .training:
            text =
                "These are the clips of the <strong>training part</strong>, because none were held out. The model has seen them: the figures say "
                + "<strong>nothing about new clips</strong>. Hold some out with data.validation_split or data.test_split."
        case .other: text = "The clips are those of \(Markup.path(report.source))."
        }
        if report.unknownClips > 0 {
            text += " \(Formatting.count(report.unknownClips, "clip")) with labels that the model does not know "
            text += report.unknownClips == 1 ? "was left out." : "were left out."
        }
        return text
    }

    var curves: String {
        guard let story = report.story, !story.epochs.isEmpty else { return "" }
        var text = "<p>\(Formatting.count(story.epochs.count, "epoch"))"
        if let planned = story.plannedEpochs, planned != story.epochs.count { text += " of \(planned)" }
        switch story.stopReason {
        case "early_stopping": text += "; the training ended because nothing got better"
        case "target": text += "; the training ended because its target was reached"
        case "max_minutes": text += "; the training was stopped because its time was over"
        case "signal": text += "; the training was interrupted"
        default: break
        }
        if let best = story.bestEpoch {
            text += ". The best was epoch \(best)"
            if let monitor = story.monitor, let value = story.bestValue {
                text += ", by \(Markup.escaped(monitor)) (\(Formatting.fixed(value, 4)))"
            }
            text += "; its weights are the model of this report"
        }
        text += ".</p>\n<div class=\"plots\">\n"
        for (place, panel) in CurvePlot(story.epochs, best: story.bestEpoch, palette: .page).panels.enumerated() {
            text += plot(panel, id: "curve\(place)")
        }
        return text + "</div>\n<details><summary>The same as a table</summary>\n\(epochTable(story))</details>\n"
    }

    private func epochTable(_ story: RunStory) -> String {
        let columns = ["epoch", "time", "loss", "accuracy", "validation loss", "validation accuracy", "learning rate"]
        // Of very many epochs, evenly spaced ones.
        let step = max(1, (story.epochs.count + 199) / 200)
        let shown = story.epochs.enumerated().filter { $0 % step == 0 || $0 == story.epochs.count - 1 || $1.epoch == story.bestEpoch }
        return Table(
            "Epochs" + (step > 1 ? ", every \(step) of them; results.csv has all" : ""), columns.map { .init($0, isNumber: true) },
            rows: shown.map { _, epoch in
                [
                    "\(epoch.epoch)" + (epoch.epoch == story.bestEpoch ? " (best)" : ""), Formatting.duration(epoch.seconds),
                    Formatting.fixed(epoch.trainLoss, 4), Formatting.fixed(epoch.trainAccuracy, 4),
                    epoch.validationLoss.map { Formatting.fixed($0, 4) } ?? "\u{2013}",
                    epoch.validationAccuracy.map { Formatting.fixed($0, 4) } ?? "\u{2013}", "\(epoch.learningRate)",
                ]
            }
        ).html
    }

    var confusion: String {
        var text = "<p>Each row is a class as it is, each column as the model says it. What is right stands on the diagonal.</p>\n"
        text += "<div class=\"matrices\">\n"
        for kind in [ConfusionPlot.Kind.counts, .shares] {
            let picture = ConfusionPlot(metrics.classes, metrics.confusion, kind, palette: .page).picture
            text += plot(picture, id: "confusion-\(kind.rawValue)", isWide: picture.width > 420)
        }
        text += "</div>\n"
        let pairs = metrics.confusions(atMost: 10)
        if pairs.isEmpty {
            text += "<p>No clip was taken for one of another class.</p>\n"
        } else {
            text += "<h3>Most often confused</h3>\n<ul>\n"
            for pair in pairs {
                text += "<li>\(Figure.count("confusion.\(pair.truth).\(pair.decision)", pair.clips).html) of "
                text += "\(Figure.count("class.\(pair.truth).support", metrics.perClass[pair.truth].support).html) "
                text += "\(Markup.name(metrics.classes[pair.truth])) \(pair.clips == 1 ? "was" : "were") taken for "
                text += "\(Markup.name(metrics.classes[pair.decision]))</li>\n"
            }
            text += "</ul>\n"
        }
        return text + confusionTable
    }

    /// The counts as a table, for those who do not see the picture.
    private var confusionTable: String {
        guard (2...25).contains(metrics.classes.count) else { return "" }
        let table = Table(
            "Clips of each class (rows) by the model's decision (columns)",
            [.init("truth")] + metrics.classes.map { .init(Markup.name($0), isNumber: true) },
            rows: metrics.confusion.enumerated().map { truth, row in
                [Markup.name(metrics.classes[truth])] + row.enumerated().map { Figure.count("confusion.\(truth).\($0)", $1).html }
            })
        return "<details><summary>The counts as a table</summary>\n\(table.html)</details>\n"
    }

    var classes: String {
        guard metrics.classes.count > 0 else { return "" }
        let columns: [Table.Column] =
            [.init("class")] + ["clips", "recall", "precision", "F1"].flatMap { [Table.Column($0, isNumber: true)] }
        let rows = metrics.perClass.enumerated().map { label, entry in
            [
                Markup.name(entry.label), Figure.count("class.\(label).support", entry.support).html,
                cell("class.\(label).recall", entry.recall), cell("class.\(label).precision", entry.precision),
                cell("class.\(label).f1", entry.f1, asPercent: false),
            ]
        }
        let (macro, weighted) = (metrics.counts.macro, metrics.counts.weighted)
        func averages(_ name: String, _ values: ClassCounts.Averages) -> [String] {
            [
                Figure.percent("\(name).recall", values.recall).html, Figure.percent("\(name).precision", values.precision).html,
                Figure.fixed("\(name).f1", values.f1).html,
            ]
        }
        let clips = Figure.count("clips", metrics.clips).html
        let table = Table(
            "Classes with their clips, recall, precision and F1; below each, its 95 % interval", columns, rows: rows,
            footer: [
                ["mean of the classes", clips] + averages("macro", macro), ["mean by clips", clips] + averages("weighted", weighted),
            ])
        let picture = ClassPlot(metrics, palette: .page).picture
        let isLong = metrics.classes.count > 30
        let words =
            "<p>Of the clips of a class, recall is the share that is found; of the clips said to be of it, precision is the share that is. F1 is "
            + "their harmonic mean.</p>\n"
        return words + plot(picture, id: "class-plot", isWide: picture.width > 480)
            + (isLong
                ? "<details><summary>All \(metrics.classes.count) classes as a table</summary>\n\(table.html)</details>\n" : table.html)
    }

    private func cell(_ name: String, _ measure: Measure, asPercent: Bool = true) -> String {
        guard let interval = measure.interval else { return "\u{2013}" }
        let value = asPercent ? Figure.percent(name, measure.value).html : Figure.fixed(name, measure.value).html
        return value + "<br><span class=\"span\">" + (asPercent ? span(name, interval) : plainSpan(name, interval)) + "</span>"
    }

    var calibration: String {
        let bins = metrics.calibration.bins.enumerated().filter { $1.clips > 0 }
        let sure = bins.reduce(0) { $0 + $1.1.confidence * Double($1.1.clips) } / Double(max(metrics.clips, 1))
        var text = "<p>A score of 80 % should be right four times in five. Here the decisions have a mean score of "
        text +=
            "\(Figure.percent("mean_confidence", sure).html) and are right on \(Figure.percent("accuracy", metrics.accuracy.value).html): "
        let gap = sure - metrics.accuracy.value
        let interval = metrics.accuracy.interval ?? Interval(0, 1)
        if sure > interval.high {
            text += "the model is <strong>too sure of itself</strong>."
        } else if sure < interval.low {
            text += "the model is <strong>less sure than it could be</strong>."
        } else {
            text += abs(gap) < 0.02 ? "about as sure as it is right." : "no more apart than chance allows with so many clips."
        }
        text += " On average a score is \(Figure.percent("expected_calibration_error", metrics.calibrationError.value).html) off "
        text += "(expected calibration error, \(Calibration.binCount) bins of equal width; with few clips it is never near 0). "
        text +=
            "Brier score \(Figure.fixed("brier", metrics.brier.value).html) (\(plainSpan("brier", metrics.brier.interval))), from 0, perfect, to 2.</p>\n"
        text += "<div class=\"plots\">\n" + plot(ReliabilityPlot(metrics.calibration, palette: .page).picture, id: "reliability")
        let rows = bins.map { place, bin in
            let (low, high) = (Double(place) / Double(Calibration.binCount), Double(place + 1) / Double(Calibration.binCount))
            return [
                "\(Formatting.fixed(low * 100, 0)) to \(Formatting.fixed(high * 100, 0))&nbsp;%",
                Figure.count("bin.\(place).clips", bin.clips).html,
                Figure.percent("bin.\(place).confidence", bin.confidence).html, Figure.percent("bin.\(place).accuracy", bin.accuracy).html,
            ]
        }
        return text
            + Table(
                "Clips by the score of the decision",
                [.init("score"), .init("clips", isNumber: true), .init("mean score", isNumber: true), .init("right", isNumber: true)],
                rows: rows
            ).html + "</div>\n"
    }
}
