import VidConfig
import VidReport
import VidRun
import VidSystem
import VidTrain

// What `train` prints at the end: text for people, members of JSON objects for `--json`.

extension TrainingResult {
    var members: [(String, JSONNode)] {
        return [
            ("run", .string(run)), ("epochs", .integer(epochs)),
            ("stop_reason", .string(end?.rawValue ?? StopCondition.Reason.timeIsUp.rawValue)),
            ("best_epoch", best.map { .integer($0.epoch) } ?? .null), ("monitor", .string(monitor)),
            ("best_value", .number(ifAny: best?.value)),
            ("best_categorical_accuracy", .number(ifAny: best?.accuracy)), ("best_loss", .number(ifAny: best?.loss)),
            ("best_checkpoint", .string(bestCheckpoint)), ("last_checkpoint", .string(lastCheckpoint)), ("results", .string(results)),
            ("report", .string(ifAny: report)), ("tensorboard", hasTensorBoardLog ? .string(run) : .null),
        ]
    }

    /// Lines that fit into 50 columns if paths are as short as the default's.
    ///
    /// - Parameter again: the command that repeats a training whose configuration is not the user's own.
    func text(again: String?) -> String {
        let stopped = "Stopped after \(Formatting.count(epochs, "epoch")) in \(Formatting.time(seconds))"
        let first =
            switch end {
            case .epochs:
                "Finished " + (epochs == 1 ? "the only epoch" : "all \(Formatting.grouped(epochs)) epochs")
                    + " in \(Formatting.time(seconds))"
            case .earlyStopping: "\(stopped): no improvement" + (patience.map { " for \($0)" } ?? "")
            case .target: "\(stopped): the target is reached"
            case nil: stopped
            }
        let checkpoint = ShellText.path(bestCheckpoint)
        let evaluation = ["eval", "--checkpoint", checkpoint] + (hasHeldOutClips ? [] : ["--split", "train"])
        var next = [ShellText.vidclass(evaluation)]
        if let exampleClip { next.append(ShellText.vidclass("predict", ShellText.path(exampleClip), "--checkpoint", checkpoint)) }
        return first + "\n" + findings + "Next:\n" + next.map { "  \($0)\n" }.joined()
            + (again.map { "To repeat this, or change its settings first:\n  \($0)\n" } ?? "")
    }

    /// The text for a run that was finished before: what it found, and how to train it for longer.
    func textOfFinished(_ configuration: RunConfiguration) -> String {
        var title = "To train for longer:"
        var settings: [String] = []
        var more = epochs >= configuration.training.epochs
        switch end {
        case .earlyStopping:
            title = "To go on without early stopping:"
            settings.append(ShellText.setting("training.early_stopping.patience", "null"))
        case .target:
            title = "To go on without a target:"
            settings.append(ShellText.setting("training.target", "null"))
        case .epochs, nil: more = true
        }
        if more {
            let total = epochs + 10
            settings.append(ShellText.setting("training.epochs", "\(total)"))
            // If the last stage names its number of epochs, this must change, too.
            if let last = configuration.stages.last, last.epochs != nil {
                let before = configuration.stages.dropLast().reduce(0) { $0 + ($1.epochs ?? 0) }
                settings.append(ShellText.setting("stages.\(configuration.stages.count - 1).epochs", "\(total - before)"))
            }
        }
        let command = ([ShellText.vidclass("train", "--resume", ShellText.path(run))] + settings).joined(separator: " ")
        return findings + "\(title)\n  \(command)\n"
    }

    /// The best epoch, and where the files are.
    private var findings: String {
        var text = ""
        if let best {
            let measured = ["categorical_accuracy", "loss"].map { hasValidation ? "val_" + $0 : $0 }
            let name =
                hasValidation && ["loss", "categorical_accuracy"].contains(monitor)
                ? "training \(monitor == "loss" ? "loss" : "accuracy")" : monitor.printable
            text +=
                "Best epoch \(best.epoch): \(hasValidation ? "" : "training ")accuracy \(Formatting.fixed(best.accuracy, 4)), "
                + "loss \(Formatting.fixed(best.loss, 4))"
                + (measured.contains(monitor) ? "" : ", \(name) \(Formatting.fixed(best.value, 4))") + "\n"
        }
        if isRestored { text += "The final model uses the best epoch's weights\n" }
        var files = [["best model", bestCheckpoint], ["last state", lastCheckpoint], ["results", results]]
        if let report { files.append(["report", report]) }
        if hasTensorBoardLog {
            let command = ShellText.command(["tensorboard", "--logdir", ShellText.path(PathText.parent(run))])
            files.append(["curves", ChildProcess.installed("tensorboard") == nil ? "\(run.printable), for TensorBoard" : command])
        }
        return text + Formatting.table(files, indent: "")
    }
}

extension FoldSummary {
    var text: String {
        var rows = [["fold", "clips", "best epoch", "accuracy", "loss"]]
        for (index, result) in results.enumerated() {
            rows.append([
                "\(index + 1)", "\(result.clips)", "\(result.best.epoch)", Formatting.fixed(result.best.accuracy, 4),
                Formatting.fixed(result.best.loss, 4),
            ])
        }
        let (accuracy, loss) = (spread(\.accuracy), spread(\.loss))
        rows.append(["mean", "", "", Formatting.fixed(accuracy.mean, 4), Formatting.fixed(loss.mean, 4)])
        rows.append(["std", "", "", Formatting.fixed(accuracy.deviation, 4), Formatting.fixed(loss.deviation, 4)])
        return Formatting.table(rows, right: [1, 2, 3, 4])
    }

    var members: [(String, JSONNode)] {
        func node(_ spread: (mean: Double, deviation: Double)) -> JSONNode {
            .object([("mean", .number(spread.mean)), ("std", .number(spread.deviation))])
        }
        let folds = results.map { result -> JSONNode in
            .object([
                ("run", .string(result.run)), ("clips", .integer(result.clips)), ("best_epoch", .integer(result.best.epoch)),
                ("categorical_accuracy", .number(result.best.accuracy)), ("loss", .number(result.best.loss)),
            ])
        }
        return [
            ("run", .string(run)), ("stop_reason", .string(reason)), ("folds", .integer(results.count)),
            ("categorical_accuracy", node(spread(\.accuracy))), ("loss", node(spread(\.loss))), ("results", .array(folds)),
        ]
    }
}

extension TrainingCost {
    var text: String {
        var rows = [
            ["parameters", Formatting.grouped(parameters.total)],
            ["memory", "at most \(Formatting.bytes(memoryBytes))"],
            [
                "disk",
                "\(Formatting.bytes(diskBytes)) for the run, \(Formatting.bytes(cacheBytes)) more in the feature cache"
                    + (freeBytes.map { ", \(Formatting.bytes($0)) free here" } ?? ""),
            ],
        ]
        if estimate.encodings > 0 {
            rows.append([
                "encoding",
                "\(Formatting.count(estimate.encodings, "clip")) at \(Formatting.fixed(estimate.secondsPerEncoding, 2)) s: "
                    + Formatting.time(estimate.secondsBefore),
            ])
        }
        rows += [
            [
                "epoch",
                "\(Formatting.count(estimate.stepsPerEpoch, "step")) at \(Formatting.fixed(estimate.secondsPerStep, 3)) s, "
                    + "\(Formatting.fixed(estimate.secondsPerValidation, 1)) s of validation: \(Formatting.time(estimate.secondsPerEpoch))",
            ],
            [
                "total",
                "\(Formatting.time(estimate.seconds)) for \(Formatting.count(estimate.epochs, "epoch"))"
                    + (laterStages > 0 ? ", without \(Formatting.count(laterStages, "later stage"))" : ""),
            ],
        ]
        return Formatting.table(rows)
    }

    /// How long the training will take, in one sentence.
    var sentence: String {
        var parts: [String] = []
        if estimate.encodings > 0 {
            parts.append(
                "\(Formatting.count(estimate.encodings, "clip")) through the frozen CNN once, at "
                    + "\(Formatting.fixed(estimate.secondsPerEncoding, 2)) s each")
        }
        let epoch = estimate.secondsPerEpoch < 0.1 ? "less than 0.1 s" : Formatting.time(estimate.secondsPerEpoch)
        parts.append("up to \(Formatting.count(estimate.epochs, "epoch")) of \(epoch)")
        return "The training will take up to some \(Formatting.time(max(1, estimate.seconds))), as measured: "
            + parts.joined(separator: ", then ")
    }

    /// The members of the `estimate` event.
    var members: [(String, JSONNode)] {
        [
            ("parameters", .integer(parameters.total)), ("trainable_parameters", .integer(parameters.trainable)),
            ("memory_bytes", .integer(memoryBytes)), ("disk_bytes", .integer(diskBytes)), ("cache_bytes", .integer(cacheBytes)),
            ("encodings", .integer(estimate.encodings)), ("seconds_per_encoding", .number(estimate.secondsPerEncoding)),
            ("steps_per_epoch", .integer(estimate.stepsPerEpoch)), ("seconds_per_step", .number(estimate.secondsPerStep)),
            ("seconds_per_validation", .number(estimate.secondsPerValidation)), ("seconds_per_epoch", .number(estimate.secondsPerEpoch)),
            ("epochs", .integer(estimate.epochs)), ("seconds", .number(estimate.seconds)), ("later_stages", .integer(laterStages)),
        ]
    }
}
