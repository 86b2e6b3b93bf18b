import VidSystem
import VidTrain

/// The sentences of a report that depend on the run and its metrics, as markup: each with the conditions under which it is true.
package struct ReportSentences {
    private let report: RunReport
    private var metrics: EvaluationMetrics { report.metrics }

    package init(_ report: RunReport) { self.report = report }

    /// The comparison with always guessing the most frequent class; empty without classes or clips.
    package var guessing: String {
        let majority = metrics.majority
        let most = metrics.counts.support.max() ?? 0
        guard most > 0 else { return "" }
        let name = Markup.quoted(metrics.classes[majority.label])
        if metrics.clips == 1 { return "The only clip is of the class \(name). A single clip tells almost nothing about a model." }
        if most == metrics.clips {
            return
                "All of these clips are of the class \(name), so the accuracy is the recall of this class. It does not tell how well the "
                + "model separates the classes."
        }
        let isAlone = metrics.counts.support.count { $0 == most } == 1
        let always =
            "Always guessing \(name), \(isAlone ? "the most frequent class" : "one of the most frequent classes") here, would be right "
            + "\(DataElement.percent("majority_share", majority.share)) of the time: "
        guard let interval = metrics.accuracy.interval else { return always }
        if interval.low > majority.share { return always + "the model does clearly better." }
        if interval.high < majority.share { return always + "<span class=\"bad\">the model does clearly worse</span>." }
        if metrics.correct == most { return always + "<span class=\"bad\">the model does no better</span>." }
        let isBetter = metrics.correct > most
        return always + "<span class=\"bad\">the model does \(isBetter ? "better" : "worse"), but the difference may be chance</span>."
    }

    /// The origin of the clips, and what that means for the metrics.
    package var origin: String {
        guard report.unknownClips > 0 else { return split }
        let count = Formatting.count(report.unknownClips, "clip was", "clips were")
        return split + " \(count) left out because the model does not know the label."
    }

    private var split: String {
        let unchanged = "If the data has not changed since the training,"
        switch report.split {
        case .test where report.evaluatedData != nil:
            return "These are the <strong>test clips</strong> of the data as it is split now. \(unchanged) they were used neither for "
                + "training nor for choosing the best epoch."
        case .test:
            return "These are the <strong>test clips</strong>: they were used neither for training nor for choosing the best epoch."
        case .validation where report.evaluatedData != nil:
            return "These are the <strong>validation clips</strong> of the data as it is split now. \(unchanged) the model was not trained "
                + "on them, but they may have chosen the best epoch."
        case .validation where report.clipsChoseEpoch:
            return
                "These are the <strong>validation clips</strong>. The model was not trained on them, but they chose the best epoch, so the "
                + "metrics may be <strong>slightly too optimistic</strong>."
        case .validation:
            return "These are the <strong>validation clips</strong>. The model was not trained on them, and they did not choose its epoch."
        case .training:
            return
                "These are the <strong>training clips</strong>\(report.heldOutClips == 0 ? ", because no others were held out" : ""). The "
                + "model has seen them: the metrics say <strong>nothing about new clips</strong>."
        case .all:
            return
                "These are the clips of <strong>all splits</strong>. The model has seen those that it was trained on: the metrics may be "
                + "<strong>too optimistic</strong> for new clips."
        case .other:
            return "The clips are from \(Markup.path(report.source)). The metrics are fair if the model was trained on none of them."
        }
    }

    /// How the training ended, and which epoch's weights the model has; empty without a training.
    package var course: String {
        guard let story = report.story, !story.epochs.isEmpty else { return "" }
        let epochs = Formatting.count(story.epochs.count, "epoch")
        let isWhole = story.plannedEpochs == nil || story.plannedEpochs == story.epochs.count
        let done = isWhole ? epochs : "\(epochs) of \(story.plannedEpochs ?? 0)"
        let monitor = story.record?.monitor.map { "<code>\(Markup.escaped($0))</code>" }
        let end =
            switch (story.record?.stopReason, story.record?.state) {
            case ("epochs", _) where isWhole:
                "finished \(story.epochs.count == 1 ? "its only epoch" : story.epochs.count == 2 ? "both epochs" : "all \(epochs)")"
            case ("early_stopping", _):
                "stopped after \(done) because \(monitor.map { "\($0) no longer improved" } ?? "there was no further improvement")"
            case ("target", _): "stopped after \(done) because it reached its target"
            case ("max_minutes", _): "stopped after \(done) because its time was up"
            case ("signal", _): "was interrupted after \(done)"
            case (_, .failed): "failed after \(done)"
            case (_, .interrupted): "was interrupted after \(done)"
            case (_, .running): "has not finished; it has run for \(done)"
            default: "ran for \(done)"
            }
        return "The training \(end). " + best(story, monitor)
    }

    private func best(_ story: RunStory, _ monitor: String?) -> String {
        guard let best = story.bestEpoch else {
            return "The model of this report has the weights in \(Markup.path(report.model.checkpoint))."
        }
        var text = story.epochs.count == 1 ? "" : "The best epoch was \(best)"
        if story.epochs.count > 1, let monitor, let value = story.record?.bestValue {
            text += ", by \(monitor) (\(Formatting.fixed(value, 4)))"
        }
        if !text.isEmpty { text += ". " }
        text += "The model of this report has the weights of that epoch."
        if story.epochs.count > 1, report.split == .training, story.record?.monitor?.hasPrefix("val_") == false {
            text += " The training metrics of an epoch are measured while the weights change, so they differ from those of this report."
        }
        return text
    }

    /// How well the scores agree with the accuracy.
    package var calibration: String {
        let sure = metrics.meanConfidence
        let interval = metrics.accuracy.interval ?? Interval(0, 1)
        let verdict =
            if sure > interval.high {
                "the model is <strong>overconfident</strong>"
            } else if sure < interval.low {
                "the model is <strong>underconfident</strong>"
            } else if abs(sure - metrics.accuracy.value) < 0.02 {
                "on average, the scores are about right"
            } else {
                "the difference may be chance"
            }
        var text = "Answers with a score of 80\u{A0}% should be right four times in five. Here the answers have a mean score of "
        text += "\(DataElement.percent("mean_confidence", sure)) and are right \(DataElement.percent("accuracy", metrics.accuracy.value)) "
        text += "of the time: \(verdict). Within \(Calibration.binCount) ranges of the score, the two differ by "
        text += "\(DataElement.percent("expected_calibration_error", metrics.calibrationError.value)) on average (the expected calibration "
        text += "error). Even with perfectly calibrated scores, they would differ by about \(calibrationByChance) by chance."
        let digits = metrics.brier.digits
        let range = metrics.brier.interval.map { DataElement.fixed("brier", $0, digits) }
        return text + " The Brier score, from 0 (perfect) to 2, is \(DataElement.fixed("brier", metrics.brier.value, digits))"
            + "\(range.map { " (\($0))" } ?? "")."
    }

    /// The expected calibration error that chance alone gives.
    var calibrationByChance: String { DataElement.percent("expected_calibration_error.by_chance", metrics.calibrationErrorByChance) }

    /// Why a metric has no range.
    package func noRange(_ measure: Measure) -> String {
        if metrics.clips == 1 { return "No range: there is only one clip" }
        return measure.interval == nil
            ? "No range: resampling the clips does not change it" : "No range: resampling the clips shifts this metric"
    }

    /// Explains the dashes and the means in the table of classes; empty if there is nothing to explain.
    package var dashes: String {
        let counts = metrics.counts
        func has(_ condition: (_ support: Int, _ decided: Int) -> Bool) -> Bool {
            zip(counts.support, counts.decided).contains { condition($0, $1) }
        }
        var text: [String] = []
        if has({ $0 > 0 && $1 == 0 }) { text.append("A dash for the precision: no clip got this label; in the means it counts as 0.") }
        if has({ $0 == 0 && $1 > 0 }) {
            text.append(
                "A dash for the recall: no clip is of this class; in the means it counts as 0. The balanced accuracy leaves such classes out."
            )
        }
        if has({ $0 == 0 && $1 == 0 }) { text.append("The means leave out classes that no clip is of and no clip was classified as.") }
        return text.joined(separator: " ")
    }
}
