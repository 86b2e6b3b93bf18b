import VidSystem
import VidTrain

/// The metrics: headline, curves, confusion, classes, calibration.
extension ReportPage {
    var headline: String {
        let accuracy = DataElement.percent("accuracy", metrics.accuracy.value)
        let range = span("accuracy", metrics.accuracy.interval)
        var text = "<p class=\"lead\">The model classified <strong>\(DataElement.count("correct", metrics.correct)) of "
        text += "\(DataElement.count("clips", metrics.clips)) clips correctly</strong>: an accuracy of \(accuracy)"
        text += range.isEmpty ? "." : " (95\u{A0}% interval: \(range))."
        text += "</p>\n<p>\(chance)</p>\n<p>\(whichClips)</p>\n<dl class=\"cards\">\n" + card("Accuracy", accuracy, range)
        func percentCard(_ title: String, _ name: String, _ measure: Measure) -> String {
            card(title, DataElement.percent(name, measure.value), span(name, measure.interval))
        }
        func plainCard(_ title: String, _ name: String, _ measure: Measure) -> String {
            card(title, DataElement.fixed(name, measure.value), plainSpan(name, measure.interval))
        }
        if let topFive = metrics.topFive {
            text += percentCard("Top-5 accuracy: the true class has one of the five highest scores", "top_5_accuracy", topFive)
        }
        text += percentCard("Balanced accuracy: the mean recall of the classes", "balanced_accuracy", metrics.balancedAccuracy)
        text += plainCard("Macro F1: the mean F1 of the classes", "macro.f1", metrics.macroF1)
        text += plainCard("Log loss", "loss", metrics.loss)
        text += percentCard("Expected calibration error", "expected_calibration_error", metrics.calibrationError)
        text +=
            "</dl>\n<p class=\"note\">The grey ranges are 95\u{A0}% confidence intervals: Wilson's score interval for accuracy, recall, "
        text += "precision and F1, and the bootstrap (\(Bootstrap.resamples) resamples of the clips) for the other metrics."
        if metrics.clippedLosses > 0 {
            text += " \(Formatting.count(metrics.clippedLosses, "clip gives", "clips give")) the true class a score below 2.2e-16; "
            text += "the log loss uses 2.2e-16 instead."
        }
        return text + "</p>\n"
    }

    private func card(_ title: String, _ value: String, _ span: String) -> String {
        "<div><dt>\(title)</dt><dd><span class=\"big\">\(value)</span>"
            + "<br><span class=\"span\">\(span.isEmpty ? "Too few clips to estimate a range" : span)</span></dd></div>\n"
    }

    /// The comparison with always guessing the most frequent class.
    private var chance: String {
        let majority = metrics.majority
        guard metrics.classes.indices.contains(majority.label) else { return "" }
        let always =
            "Always guessing \(Markup.quoted(metrics.classes[majority.label])), the most frequent class here, would be right "
            + "\(DataElement.percent("majority_share", majority.share)) of the time"
        guard let interval = metrics.accuracy.interval else { return always + "." }
        if interval.low > majority.share { return always + ": the model does clearly better." }
        if metrics.accuracy.value == majority.share { return always + ": <span class=\"bad\">the model is no better</span>." }
        if interval.high < majority.share { return always + ": <span class=\"bad\">the model does worse</span>." }
        return always + ": <span class=\"bad\">with so few clips, the difference may be chance</span>."
    }

    /// The origin of the clips, and what that means for the metrics.
    private var whichClips: String {
        let text =
            switch report.split {
            case .test:
                "These are the <strong>test clips</strong>: they were used neither for training nor for choosing the best epoch."
            case .validation:
                "These are the <strong>validation clips</strong>. The model was not trained on them, but they chose the best epoch, so the "
                    + "metrics are <strong>slightly too optimistic</strong>. A separate test set would give a fairer estimate "
                    + "(data.test_split, or a folder named test)."
            case .training:
                "These are the <strong>training clips</strong>, because no others were held out. The model has seen them: the metrics say "
                    + "<strong>nothing about new clips</strong>. Hold some out with data.validation_split or data.test_split."
            case .other: "The clips are from \(Markup.path(report.source))."
            }
        guard report.unknownClips > 0 else { return text }
        return text
            + " \(Formatting.count(report.unknownClips, "clip was", "clips were")) left out because the model does not know the label."
    }

    var curves: String {
        guard let story = report.story, !story.epochs.isEmpty else { return "" }
        let epochs = Formatting.count(story.epochs.count, "epoch")
        let planned = story.plannedEpochs.map { $0 == story.epochs.count ? "" : " of \($0)" } ?? ""
        var text =
            switch story.record?.stopReason {
            case "epochs" where planned.isEmpty: "<p>The training finished all \(epochs)."
            case "early_stopping": "<p>The training stopped after \(epochs)\(planned) because nothing improved any more."
            case "target": "<p>The training stopped after \(epochs)\(planned) because it reached its target."
            case "max_minutes": "<p>The training stopped after \(epochs)\(planned) because its time was up."
            case "signal": "<p>The training was interrupted after \(epochs)\(planned)."
            default: "<p>The training ran for \(epochs)\(planned)."
            }
        if let best = story.bestEpoch {
            text += " The best epoch was \(best)"
            if let monitor = story.record?.monitor, let value = story.record?.bestValue {
                text += ", by \(Markup.escaped(monitor)) (\(Formatting.fixed(value, 4)))"
            }
            text += ". The model of this report has the weights of that epoch."
        }
        text += "</p>\n<div class=\"plots\">\n"
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
            text += plot(picture, id: "confusion-\(kind.rawValue)", isWide: picture.width > 420)
        }
        text += "</div>\n"
        let pairs = metrics.confusions(atMost: 10)
        if pairs.isEmpty {
            text += "<p>No clip was classified as a wrong class.</p>\n"
        } else {
            text += "<h3>Most often confused</h3>\n<ul>\n"
            for pair in pairs {
                text += "<li>\(DataElement.count("confusion.\(pair.truth).\(pair.decision)", pair.clips)) of "
                text += "\(DataElement.count("class.\(pair.truth).support", metrics.perClass[pair.truth].support)) "
                text += "\(Markup.quoted(metrics.classes[pair.truth])) clips \(pair.clips == 1 ? "was" : "were") classified as "
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
        return words + plot(picture, id: "class-plot", isWide: picture.width > 480)
            + (isLong
                ? "<details><summary>All \(metrics.classes.count) classes as a table</summary>\n\(table)</details>\n" : table)
    }

    private func cell(_ name: String, _ measure: Measure, asPercent: Bool = true) -> String {
        guard let interval = measure.interval else { return "\u{2013}" }
        let value = asPercent ? DataElement.percent(name, measure.value) : DataElement.fixed(name, measure.value)
        return value + "<br><span class=\"span\">" + (asPercent ? span(name, interval) : plainSpan(name, interval)) + "</span>"
    }

    var calibration: String {
        let bins = metrics.calibration.bins.enumerated().filter { $1.clips > 0 }
        let sure = metrics.meanConfidence
        var text = "<p>Answers with a score of 80\u{A0}% should be right four times in five. Here the answers have a mean score of "
        text += "\(DataElement.percent("mean_confidence", sure)) and are right \(DataElement.percent("accuracy", metrics.accuracy.value)) "
        text += "of the time: "
        let gap = sure - metrics.accuracy.value
        let interval = metrics.accuracy.interval ?? Interval(0, 1)
        if sure > interval.high {
            text += "the model is <strong>overconfident</strong>."
        } else if sure < interval.low {
            text += "the model is <strong>underconfident</strong>."
        } else {
            text += abs(gap) < 0.02 ? "the scores are about right." : "with so few clips, the difference may be chance."
        }
        let range = plainSpan("brier", metrics.brier.interval)
        text += " Scores are off by \(DataElement.percent("expected_calibration_error", metrics.calibrationError.value)) on average "
        text +=
            "(expected calibration error, \(Calibration.binCount) bins of equal width; with few clips it is never near 0). The Brier score, "
        text += "from 0 (perfect) to 2, is \(DataElement.fixed("brier", metrics.brier.value))\(range.isEmpty ? "" : " (\(range))").</p>\n"
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
