import Foundation
import VidConfig
import VidData
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// What a training has come to and where it is kept: the last words on standard error, and the `end` of `--json`.
struct RunSummary {
    private let folder: RunFolder
    private let configuration: RunConfiguration
    private let state: TrainerState
    private let monitor: Metric
    private let seconds: Double
    private let end: StageEnd?
    /// Whether there are clips that were not trained on.
    private let holdsOut: Bool

    /// - Parameter end: nil where the time was over.
    init(_ session: TrainingSession, _ folder: RunFolder, end: StageEnd?) {
        self.folder = folder
        configuration = session.configuration
        state = session.trainer.state
        monitor = session.trainer.monitor.metric
        seconds = session.trainer.secondsSinceStart
        self.end = end
        holdsOut = Split.heldOut(of: session.data) != .train
    }

    private var hasReport: Bool { folder.report.isThere }

    var members: [(String, JSONNode)] {
        let best = state.best
        func number(_ value: Double?) -> JSONNode { value.map { .number($0) } ?? .null }
        return [
            ("run", .string(folder.path)), ("epochs", .integer(state.epoch)), ("stop_reason", .string(end?.rawValue ?? "max_minutes")),
            ("best_epoch", best.map { .integer($0.epoch) } ?? .null), ("monitor", .string(monitor.rawValue)),
            ("best_value", number(best?.value)), ("best_categorical_accuracy", number(best?.accuracy)),
            ("best_loss", number(best?.loss)), ("best_checkpoint", .string(folder.bestPath)), ("last_checkpoint", .string(folder.lastPath)),
            ("results", .string(folder.resultsPath)), ("report", hasReport ? .string(folder.report.page) : .null),
            ("tensorboard", configuration.output.tensorboard ? .string(folder.path) : .null),
        ]
    }

    /// Lines that fit into 50 columns where paths are as short as the default's.
    var text: String {
        var lines = [
            "\(Formatting.count(state.epoch, "epoch")) in \(Formatting.duration(seconds))"
                + (end.map { ": \(TrainingProgress.text($0))" } ?? "")
        ]
        if let best = state.best {
            let isAccuracy = [.validationAccuracy, .categoricalAccuracy].contains(monitor.kind)
            lines.append(
                "best epoch \(best.epoch): accuracy \(Formatting.fixed(best.accuracy, 4)), loss \(Formatting.fixed(best.loss, 4))"
                    + (isAccuracy ? "" : ", \(monitor.rawValue.printable) \(Formatting.fixed(best.value, 4))"))
        }
        if state.isRestored { lines.append("the last state has the best epoch's weights") }
        var files = [["best model", folder.bestPath], ["last state", folder.lastPath], ["results", folder.resultsPath]]
        if hasReport { files.append(["report", folder.report.page]) }
        if configuration.output.tensorboard {
            files.append(["curves", "tensorboard --logdir " + ShellText.quoted(PathText.parent(folder.path))])
        }
        let checkpoint = ShellText.quoted(folder.bestPath)
        let part = holdsOut ? "" : " --split train"
        return lines.joined(separator: "\n") + "\n" + Formatting.table(files, indent: "") + """
            Next:
              vidclass eval --checkpoint \(checkpoint)\(part)
              vidclass predict CLIP --checkpoint \(checkpoint)

            """
    }
}
