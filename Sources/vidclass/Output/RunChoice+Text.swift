import VidReport
import VidRun
import VidSystem

extension RunChoice {
    /// Which model is used, how good it is, and which others there are: lines for standard error.
    var text: String {
        var lines = ["using \(run.folder.bestPath.printable)" + (RunChoice.quality(run).map { " (\($0))" } ?? "")]
        if run.state != .finished {
            lines.append("note: no run is finished; this one \(RunChoice.ending(run))")
        }
        if count > 1 {
            let rank = run.state == .finished ? "the newest of \(Formatting.count(finished, "finished run"))" : "the newest with a model"
            lines.append("note: it is \(rank); `\(ShellText.vidclass("runs"))` lists all \(count)")
        }
        for other in newer.prefix(3) {
            lines.append("note: \(other.folder.path.printable) is newer, but \(RunChoice.drawback(other))")
        }
        if let better = muchBetter {
            lines.append(
                "note: \(better.folder.path.printable), on the same data, is better (\(RunChoice.quality(better) ?? "")). To use it: --checkpoint "
                    + ShellText.quoted(better.folder.bestPath))
        }
        return lines.map(\.printable).joined(separator: "\n")
    }

    /// "validation accuracy 93.3 %, epoch 6 of 10"
    private static func quality(_ run: RunFacts) -> String? {
        guard let best = run.bestAccuracy else { return nil }
        let place = run.bestEpoch.map { ", epoch \($0)" + (run.epochsPlanned.map { " of \($0)" } ?? "") } ?? ""
        return (best.isValidation ? "validation" : "training") + " accuracy \(Formatting.fixed(best.value * 100, 1)) %" + place
            + (best.isValidation ? "" : "; it had no validation clips")
    }

    private static func ending(_ run: RunFacts) -> String {
        switch run.state {
        case .running: "is still running"
        case .interrupted: "was interrupted"
        case .failed: "failed"
        case .crashed: "ended unexpectedly"
        case .finished: "is finished"
        case .unknown: "does not say whether it is finished"
        }
    }

    /// Why a newer run is not used.
    private static func drawback(_ run: RunFacts) -> String {
        if run.foldsPlanned != nil { return "has one model per fold" }
        if run.state != .finished { return ending(run) }
        return run.modelFault.map { "its model is damaged: \($0)" } ?? "has no model"
    }
}
