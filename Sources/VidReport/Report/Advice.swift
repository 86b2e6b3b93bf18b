import RealModule
import VidSystem
import VidTrain

/// Recommendations that follow from the metrics, as markup. Each appears only if the metrics call for it.
package enum Advice {
    package static func items(_ report: RunReport) -> [String] {
        [heldOut, leaks, fewClips, overfitting, unconverged, notLearnt, below, neverPredicted, imbalance, confusedPair, overconfidence]
            .compactMap { $0(report) }
    }

    private static func heldOut(_ report: RunReport) -> String? {
        switch report.split {
        case .training where report.heldOutClips == 0:
            "Hold clips out (<code>data.validation_split</code>, <code>data.test_split</code>): nothing in this report tells how the model does on new clips."
        case .training, .all:
            report.heldOutClips == 0
                ? nil
                : "Evaluate the held-out clips alone, with <code>\(Markup.escaped(ShellText.command(["vidclass", "eval", "--checkpoint", report.model.checkpoint])))</code>: this report does not tell how the model does on new clips."
        case .validation where report.clipsChoseEpoch && report.story != nil:
            "Set test clips aside (<code>data.test_split</code>, or a folder <code>test</code>) before you compare models or publish a result: the best epoch was chosen with the validation clips."
        default: nil
        }
    }

    private static func leaks(_ report: RunReport) -> String? {
        guard report.evaluatedData == nil, let count = report.data?.pairCount, count > 0 else { return nil }
        return
            "\(Formatting.count(count, "pair")) of clips in different splits \(count == 1 ? "looks" : "look") the same. Delete one of them, or keep both in one split (folders <code>train</code> and <code>val</code>, or the column <code>group</code> of a CSV file), and train again before you trust the metrics."
    }

    /// The interval of the accuracy is wide. Training clips tell nothing about the true accuracy, however many there are.
    private static func fewClips(_ report: RunReport) -> String? {
        let metrics = report.metrics
        guard report.split != .training, report.split != .all, let interval = metrics.accuracy.interval,
            interval.high - interval.low > 0.15
        else { return nil }
        // The half width of the interval of a share p of n clips is about 1.96 sqrt(p (1 - p) / n).
        let share = max(0.1, min(0.9, metrics.accuracy.value))
        let exact = Interval.normalQuantile * Interval.normalQuantile * share * (1 - share) / 0.0025
        let wanted = Int((exact / 10).rounded(.up)) * 10
        guard wanted > metrics.clips else { return nil }
        let (low, high) = (Formatting.fixed(interval.low * 100, 1), Formatting.fixed(interval.high * 100, 1))
        return
            "With only \(Formatting.count(metrics.clips, "clip")), the true accuracy may be anywhere from \(low) to \(high) %. About \(Formatting.grouped(wanted)) clips would narrow it down to 5 points in either direction. Until then, smaller differences between models tell nothing."
    }

    private static func overfitting(_ report: RunReport) -> String? {
        guard let story = report.story, let best = story.epochs.first(where: { $0.epoch == story.bestEpoch }) ?? story.epochs.last,
            let validation = best.validationAccuracy, best.trainAccuracy - validation > 0.1, best.trainAccuracy > 0.7
        else { return nil }
        // With few validation clips, the difference may be chance.
        let clips = report.data?.clips(of: "val") ?? 0
        if let interval = Interval.wilson(Int((validation * Double(clips)).rounded()), of: clips), best.trainAccuracy <= interval.high {
            return nil
        }
        return
            "The model is right on \(percent(best.trainAccuracy)) % of the training clips but only \(percent(validation)) % of the validation clips: it has memorised some training clips. More clips help most; then <code>augmentation</code>, <code>dropout</code> in the hidden layers, <code>optimizer.weight_decay</code>, or fewer units."
    }

    /// The best epoch is at the end, the accuracy can still rise, and the loss was still falling.
    private static func unconverged(_ report: RunReport) -> String? {
        guard let story = report.story, story.record?.stopReason == "epochs", let last = story.epochs.last,
            let best = story.epochs.first(where: { $0.epoch == story.bestEpoch }), (best.validationAccuracy ?? best.trainAccuracy) < 1,
            best.epoch >= last.epoch - max(0, story.epochs.count / 10)
        else { return nil }
        let hasValidation = last.validationLoss != nil
        func loss(_ epoch: EpochRecord) -> Double { epoch.validationLoss ?? epoch.trainLoss }
        guard story.epochs.count == 1 || loss(last) < loss(story.epochs[(story.epochs.count - 1) / 2]) * 0.98 else { return nil }
        let reason =
            story.epochs.count == 1
            ? "One epoch is rarely enough."
            : "The best epoch was \(best.epoch == last.epoch ? "the last" : "one of the last"), and the \(hasValidation ? "validation" : "training") loss was still falling."
        // The epochs of stages are keys of their own.
        if report.model.training.contains(where: { $0.label == "stages" }) {
            return "\(reason) Train for longer: give the last stage more epochs."
        }
        let resume = ShellText.command(["vidclass", "train", "--resume", story.folder, "--set", "training.epochs=\(last.epoch * 2)"])
        return "\(reason) Train for longer with <code>\(Markup.escaped(resume))</code>."
    }

    /// The only class that clips are classified as.
    private static func onlyAnswer(_ metrics: EvaluationMetrics) -> EvaluationMetrics.PerClass? {
        let answers = metrics.perClass.filter { $0.decided > 0 }
        return answers.count == 1 && metrics.clips > 1 && metrics.perClass.count { $0.support > 0 } > 1 ? answers[0] : nil
    }

    private static func neverPredicted(_ report: RunReport) -> String? {
        let metrics = report.metrics
        if let only = onlyAnswer(metrics) {
            return
                "The model classified \(metrics.clips == 2 ? "both" : "all \(Formatting.grouped(metrics.clips))") clips as \(Markup.quoted(only.label)): it does not tell the classes apart. Check whether the sampled frames show what distinguishes them."
        }
        let missed = metrics.perClass.filter { $0.support > 0 && $0.decided == 0 }
        guard !missed.isEmpty else { return nil }
        let (isOne, names) = (missed.count == 1, Formatting.list(missed.map { Markup.quoted($0.label) }, atMost: 5))
        return
            "The model classified no clip as \(names). Check how many training clips \(isOne ? "this class has" : "these classes have"), and whether the sampled frames show what distinguishes \(isOne ? "it" : "them")."
    }

    private static func imbalance(_ report: RunReport) -> String? {
        guard let counts = report.data?.splits.first(where: { $0.name == "train" })?.counts.filter({ $0 > 0 }), let most = counts.max(),
            let least = counts.min(), most > 5 * least,
            report.metrics.accuracy.value - report.metrics.balancedAccuracy.value > 0.05
        else { return nil }
        return
            "Classes have from \(least) to \(most) training clips, and the rare ones do worse (balanced accuracy \(percent(report.metrics.balancedAccuracy.value)) %, accuracy \(percent(report.metrics.accuracy.value)) %). Set <code>training.class_weights</code> to <code>\"balanced\"</code> or <code>training.balanced_sampling</code> to <code>true</code>."
    }

    private static func confusedPair(_ report: RunReport) -> String? {
        let metrics = report.metrics
        let wrong = metrics.clips - metrics.correct
        let pairs = metrics.confusions(atMost: 2)
        guard metrics.classes.count > 2, wrong >= 4, onlyAnswer(metrics) == nil, let pair = pairs.first,
            Double(pair.clips) >= max(3, 0.25 * Double(wrong)), pairs.count == 1 || pair.clips > pairs[1].clips
        else { return nil }
        return
            "\(pair.clips) of the \(wrong) errors are \(Markup.quoted(metrics.classes[pair.truth])) clips that were classified as \(Markup.quoted(metrics.classes[pair.decision])). Look at these clips (predictions.csv lists them), and first check their labels."
    }

    private static func overconfidence(_ report: RunReport) -> String? {
        let metrics = report.metrics
        let sure = metrics.meanConfidence
        guard let interval = metrics.accuracy.interval, sure > interval.high, sure - metrics.accuracy.value > 0.05, !isBelowChance(report)
        else { return nil }
        let byLoss =
            report.story?.record?.monitor == "val_loss"
            ? "" : " or choosing the best epoch by its loss (<code>training.monitor</code> = <code>\"val_loss\"</code>)"
        return
            "The scores are too high by \(percent(sure - metrics.accuracy.value)) points on average: do not read them as probabilities. <code>training.label_smoothing</code>\(byLoss) makes them more realistic."
    }

    private static func isBelowChance(_ report: RunReport) -> Bool {
        guard let interval = report.metrics.accuracy.interval else { return false }
        return interval.high < 1 / Double(max(report.metrics.classes.count, 1)) && onlyAnswer(report.metrics) == nil
    }

    /// Fewer right answers than random guessing gives.
    private static func below(_ report: RunReport) -> String? {
        guard isBelowChance(report) else { return nil }
        return
            "The model is right less often than a random guess. Check that the labels of these clips mean the same as those of the training clips."
    }

    /// The metrics are no better than guessing, here and on the training clips, and more epochs do not help.
    private static func notLearnt(_ report: RunReport) -> String? {
        let metrics = report.metrics
        guard let counts = report.data?.splits.first(where: { $0.name == "train" })?.counts, let most = counts.max(), most > 0,
            let interval = metrics.accuracy.interval, interval.low <= metrics.majority.share, let story = report.story,
            let first = story.epochs.first, let last = story.epochs.last,
            last.trainAccuracy < Double(most) / Double(counts.reduce(0, +)) + 0.15, unconverged(report) == nil
        else { return nil }
        // A uniform guess has a loss of log(classes).
        let hasDiverged = last.trainLoss > max(first.trainLoss, 2 * Double.log(Double(max(metrics.classes.count, 2))))
        return hasDiverged
            ? "The model did not learn the training clips, and its training loss rose to \(Formatting.fixed(last.trainLoss, 2)). Try a ten times smaller <code>optimizer.learning_rate</code>."
            : "The model did not even learn the training clips. Try another <code>optimizer.learning_rate</code> (ten times smaller, or larger) and more epochs, and check with <code>vidclass check</code> that the labels are right."
    }

    private static func percent(_ share: Double) -> String { Formatting.fixed(share * 100, 0) }
}

extension EvaluationMetrics {
    /// The mean score of the model's answers.
    var meanConfidence: Double { calibration.bins.reduce(0) { $0 + $1.confidence * Double($1.clips) } / Double(max(clips, 1)) }
}
