import VidSystem
import VidTensor
import VidTrain

/// What to do next, derived from the figures: each piece only where they show it. Markup.
package enum Advice {
    package static func items(_ report: RunReport) -> [String] {
        [heldOut, leaks, fewClips, overfitting, unconverged, neverPredicted, imbalance, confusedPair, overconfidence, chance].compactMap {
            $0(report)
        }
    }

    private static func heldOut(_ report: RunReport) -> String? {
        switch report.part {
        case .training:
            "Hold clips out (<code>data.validation_split</code>, <code>data.test_split</code>): nothing here says how the model does on new ones."
        case .validation where report.story != nil:
            "Set a test part aside (<code>data.test_split</code>, or a folder <code>test</code>) before you compare models or publish a figure: the validation part has chosen the epoch."
        default: nil
        }
    }

    private static func leaks(_ report: RunReport) -> String? {
        guard let count = report.data?.pairCount, count > 0 else { return nil }
        return
            "\(Formatting.count(count, "pair")) of clips show the same in different parts. Move them to one part (a <code>group</code> column keeps them together) and train again before you believe the metrics."
    }

    /// Accuracy's interval is wide.
    private static func fewClips(_ report: RunReport) -> String? {
        let metrics = report.metrics
        guard let interval = metrics.accuracy.interval, interval.high - interval.low > 0.15 else { return nil }
        // The half width of a share p of n clips is about 1.96 sqrt(p (1 - p) / n).
        let share = max(0.1, min(0.9, metrics.accuracy.value))
        let wanted = Int((Interval.normalQuantile * Interval.normalQuantile * share * (1 - share) / 0.0025).rounded(.up))
        guard wanted > metrics.clips else { return nil }
        return
            "\(Formatting.count(metrics.clips, "clip is", "clips are")) few: the true accuracy may be anything from \(Formatting.fixed(interval.low * 100, 0)) to \(Formatting.fixed(interval.high * 100, 0)) %. About \(Formatting.grouped(wanted)) would tell it to within 5 points. Differences between models that are smaller than that mean nothing yet."
    }

    private static func overfitting(_ report: RunReport) -> String? {
        guard let story = report.story, let best = story.epochs.first(where: { $0.epoch == story.bestEpoch }) ?? story.epochs.last,
            let validation = best.validationAccuracy, best.trainAccuracy - validation > 0.1, best.trainAccuracy > 0.7
        else { return nil }
        return
            "The training clips are right to \(Formatting.fixed(best.trainAccuracy * 100, 0)) %, the validation clips to \(Formatting.fixed(validation * 100, 0)) %: the model has learnt some by heart. More clips help most; then <code>augmentation</code>, <code>dropout</code> in the hidden layers, <code>optimizer.weight_decay</code>, or fewer units."
    }

    /// The best epoch is at the end, and the loss still fell.
    private static func unconverged(_ report: RunReport) -> String? {
        guard let story = report.story, story.stopReason == "epochs", story.epochs.count >= 2, let last = story.epochs.last,
            let best = story.bestEpoch, best >= last.epoch - max(0, story.epochs.count / 10)
        else { return nil }
        let middle = story.epochs[story.epochs.count / 2]
        let (before, after) = (middle.validationLoss ?? middle.trainLoss, last.validationLoss ?? last.trainLoss)
        guard story.epochs.count == 2 || after < before * 0.98 else { return nil }
        let resume = ShellText.command(["vidclass", "train", "--resume", story.folder, "--set", "training.epochs=\(last.epoch * 2)"])
        return
            "The best epoch is \(best == last.epoch ? "the last" : "one of the last"), and the loss was still falling: train on with <code>\(Markup.escaped(resume))</code>."
    }

    private static func neverPredicted(_ report: RunReport) -> String? {
        let missed = report.metrics.perClass.filter { $0.support > 0 && $0.decided == 0 }
        guard !missed.isEmpty else { return nil }
        return
            "No clip was said to be of \(list(missed.map(\.label), of: "class", "classes")). Look at how many training clips there are and whether the label can be seen in the frames sampled."
    }

    private static func imbalance(_ report: RunReport) -> String? {
        guard let counts = report.data?.parts.first(where: { $0.name == "train" })?.counts.filter({ $0 > 0 }), let most = counts.max(),
            let least = counts.min(), most > 5 * least,
            report.metrics.accuracy.value - report.metrics.balancedAccuracy.value > 0.05
        else { return nil }
        return
            "Classes have from \(least) to \(most) training clips, and the rare ones do worse (balanced accuracy \(Formatting.fixed(report.metrics.balancedAccuracy.value * 100, 0)) % against \(Formatting.fixed(report.metrics.accuracy.value * 100, 0)) %): set <code>training.class_weights</code> to <code>\"balanced\"</code> or <code>training.balanced_sampling</code> to <code>true</code>."
    }

    private static func confusedPair(_ report: RunReport) -> String? {
        let metrics = report.metrics
        let wrong = metrics.clips - metrics.correct
        guard metrics.classes.count > 2, wrong >= 4, let pair = metrics.confusions(atMost: 1).first,
            Double(pair.clips) >= max(3, 0.25 * Double(wrong))
        else { return nil }
        return
            "\(pair.clips) of the \(wrong) errors take \(Markup.name(metrics.classes[pair.truth])) for \(Markup.name(metrics.classes[pair.decision])): look at those clips (predictions.csv), at their labels first."
    }

    private static func overconfidence(_ report: RunReport) -> String? {
        let metrics = report.metrics
        let sure = metrics.calibration.bins.reduce(0) { $0 + $1.confidence * Double($1.clips) } / Double(max(metrics.clips, 1))
        guard let interval = metrics.accuracy.interval, sure > interval.high, sure - metrics.accuracy.value > 0.05 else { return nil }
        return
            "The scores are too high by \(Formatting.fixed((sure - metrics.accuracy.value) * 100, 0)) points on average: do not read them as probabilities. <code>training.label_smoothing</code> and an earlier best epoch (<code>training.monitor</code> = <code>\"val_loss\"</code>) make them more honest."
    }

    private static func chance(_ report: RunReport) -> String? {
        let metrics = report.metrics
        guard let interval = metrics.accuracy.interval, interval.low <= metrics.majority.share else { return nil }
        if let last = report.story?.epochs.last, last.trainAccuracy < metrics.majority.share + 0.15 {
            return
                "The model has not learnt the training clips either: try another <code>optimizer.learning_rate</code> (ten times smaller, or larger), more epochs, and check with <code>vidclass check</code> that the labels are right."
        }
        return nil
    }

    private static func list(_ labels: [String], of noun: String, _ plural: String) -> String {
        let shown = labels.prefix(5).map(Markup.name).joined(separator: ", ")
        return "the \(labels.count == 1 ? noun : plural) \(shown)" + (labels.count > 5 ? " and \(labels.count - 5) more" : "")
    }
}

extension ReportPage {
    var advice: String {
        let items = Advice.items(report)
        let use = ShellText.command(["vidclass", "predict", "video.mp4", "--checkpoint", report.model.checkpoint])
        guard !items.isEmpty else {
            return "<p>Nothing in these figures asks for more. Use the model: <code>\(Markup.escaped(use))</code></p>\n"
        }
        return
            "<ul class=\"advice\">\n\(items.map { "<li>\($0)</li>\n" }.joined())</ul>\n<p>Use the model as it is: <code>\(Markup.escaped(use))</code></p>\n"
    }
}
