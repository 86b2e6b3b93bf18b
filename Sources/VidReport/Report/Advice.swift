import VidSystem
import VidTrain

/// Recommendations that follow from the metrics, as markup. Each appears only if the metrics call for it.
package enum Advice {
    package static func items(_ report: RunReport) -> [String] {
        [heldOut, leaks, fewClips, overfitting, unconverged, neverPredicted, imbalance, confusedPair, overconfidence, notLearnt].compactMap
        {
            $0(report)
        }
    }

    private static func heldOut(_ report: RunReport) -> String? {
        switch report.split {
        case .training:
            "Hold clips out (<code>data.validation_split</code>, <code>data.test_split</code>): nothing in this report tells how the model does on new clips."
        case .validation where report.story != nil:
            "Set test clips aside (<code>data.test_split</code>, or a folder <code>test</code>) before you compare models or publish a result: the best epoch was chosen with the validation clips."
        default: nil
        }
    }

    private static func leaks(_ report: RunReport) -> String? {
        guard let count = report.data?.pairCount, count > 0 else { return nil }
        return
            "\(Formatting.count(count, "pair")) of clips in different splits \(count == 1 ? "looks" : "look") the same. Move both clips to one split (a <code>group</code> column keeps them together) and train again before you trust the metrics."
    }

    /// The interval of the accuracy is wide.
    private static func fewClips(_ report: RunReport) -> String? {
        let metrics = report.metrics
        guard let interval = metrics.accuracy.interval, interval.high - interval.low > 0.15 else { return nil }
        // The half width of the interval of a share p of n clips is about 1.96 sqrt(p (1 - p) / n).
        let share = max(0.1, min(0.9, metrics.accuracy.value))
        let wanted = Int((Interval.normalQuantile * Interval.normalQuantile * share * (1 - share) / 0.0025).rounded(.up))
        guard wanted > metrics.clips else { return nil }
        return
            "\(Formatting.count(metrics.clips, "clip is", "clips are")) few: the true accuracy may be anywhere from \(percent(interval.low)) to \(percent(interval.high)) %. About \(Formatting.grouped(wanted)) clips would narrow it down to 5 points in either direction. Do not read anything into smaller differences between models."
    }

    private static func overfitting(_ report: RunReport) -> String? {
        guard let story = report.story, let best = story.epochs.first(where: { $0.epoch == story.bestEpoch }) ?? story.epochs.last,
            let validation = best.validationAccuracy, best.trainAccuracy - validation > 0.1, best.trainAccuracy > 0.7
        else { return nil }
        return
            "The model is right on \(percent(best.trainAccuracy)) % of the training clips but only \(percent(validation)) % of the validation clips: it has memorised some training clips. More clips help most; then <code>augmentation</code>, <code>dropout</code> in the hidden layers, <code>optimizer.weight_decay</code>, or fewer units."
    }

    /// The best epoch is at the end, and the loss was still falling.
    private static func unconverged(_ report: RunReport) -> String? {
        guard let story = report.story, story.record?.stopReason == "epochs", story.epochs.count >= 2, let last = story.epochs.last,
            let best = story.bestEpoch, best >= last.epoch - max(0, story.epochs.count / 10)
        else { return nil }
        let middle = story.epochs[story.epochs.count / 2]
        let (before, after) = (middle.validationLoss ?? middle.trainLoss, last.validationLoss ?? last.trainLoss)
        guard story.epochs.count == 2 || after < before * 0.98 else { return nil }
        let resume = ShellText.command(["vidclass", "train", "--resume", story.folder, "--set", "training.epochs=\(last.epoch * 2)"])
        return
            "The best epoch was \(best == last.epoch ? "the last" : "one of the last"), and the loss was still falling. Train for longer with <code>\(Markup.escaped(resume))</code>."
    }

    private static func neverPredicted(_ report: RunReport) -> String? {
        let missed = report.metrics.perClass.filter { $0.support > 0 && $0.decided == 0 }
        guard !missed.isEmpty else { return nil }
        return
            "The model never answers \(Formatting.list(missed.map { Markup.quoted($0.label) }, atMost: 5)). Check how many training clips \(missed.count == 1 ? "this class has" : "these classes have"), and whether the sampled frames show what distinguishes \(missed.count == 1 ? "it" : "them")."
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
        guard metrics.classes.count > 2, wrong >= 4, let pair = metrics.confusions(atMost: 1).first,
            Double(pair.clips) >= max(3, 0.25 * Double(wrong))
        else { return nil }
        return
            "\(pair.clips) of the \(wrong) errors are \(Markup.quoted(metrics.classes[pair.truth])) clips that were classified as \(Markup.quoted(metrics.classes[pair.decision])). Look at these clips (predictions.csv lists them), and first check their labels."
    }

    private static func overconfidence(_ report: RunReport) -> String? {
        let metrics = report.metrics
        let sure = metrics.meanConfidence
        guard let interval = metrics.accuracy.interval, sure > interval.high, sure - metrics.accuracy.value > 0.05 else { return nil }
        return
            "The scores are too high by \(percent(sure - metrics.accuracy.value)) points on average: do not read them as probabilities. <code>training.label_smoothing</code> or choosing the best epoch by its loss (<code>training.monitor</code> = <code>\"val_loss\"</code>) makes them more realistic."
    }

    private static func notLearnt(_ report: RunReport) -> String? {
        let metrics = report.metrics
        guard let interval = metrics.accuracy.interval, interval.low <= metrics.majority.share, let last = report.story?.epochs.last,
            last.trainAccuracy < metrics.majority.share + 0.15
        else { return nil }
        return
            "The model did not even learn the training clips. Try another <code>optimizer.learning_rate</code> (ten times smaller, or larger) and more epochs, and check with <code>vidclass check</code> that the labels are right."
    }

    private static func percent(_ share: Double) -> String { Formatting.fixed(share * 100, 0) }
}

extension EvaluationMetrics {
    /// The mean score of the model's answers.
    var meanConfidence: Double { calibration.bins.reduce(0) { $0 + $1.confidence * Double($1.clips) } / Double(max(clips, 1)) }
}
