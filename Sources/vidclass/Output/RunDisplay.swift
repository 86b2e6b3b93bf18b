import Synchronization
import VidConfig
import VidData
import VidReport
import VidRun
import VidSystem
import VidTrain

/// How much a command writes to standard error.
enum Verbosity: Int, Comparable {
    /// Only notes and warnings: for --quiet with --json.
    case notes
    /// Also the folder of each fold.
    case quiet
    /// Also progress.
    case normal
    /// Also details.
    case verbose

    static func < (left: Verbosity, right: Verbosity) -> Bool { left.rawValue < right.rawValue }
}

/// Shows events on standard error: a progress bar, a line per epoch, notes.
final class RunDisplay: Sendable {
    private let verbosity: Verbosity
    private let bar: ProgressBar
    private let remarks = Mutex<Set<String>>([])

    init(_ verbosity: Verbosity = .normal) {
        self.verbosity = verbosity
        bar = ProgressBar(quiet: verbosity < .normal)
    }

    /// Whether reports on the data are shown.
    var showsReports: Bool { verbosity >= .normal }

    /// Removes the progress bar.
    func clear() { bar.clear() }

    func show(_ event: RunEvent) {
        switch event {
        case .info(let text): if verbosity > .quiet { write(text) }
        case .note(let text): remark("note: \(text)")
        case .warning(let text): remark("warning: \(text)")
        case .detail(let text): detail(text)
        case .checking(let progress):
            bar.update(
                "check", done: progress.done, total: progress.total,
                detail: "\(progress.done)/\(progress.total) clips" + (progress.bad > 0 ? ", \(progress.bad) bad" : ""))
        case .checked(let clips, let seconds):
            bar.clear()
            if seconds > 2 { note("checked \(Formatting.count(clips, "clip")) in \(Formatting.time(seconds))") }
        case .data(let report):
            if showsReports {
                draw(DataReportText.text(report, columns: RunDisplay.columns))
            } else {
                for text in report.data.notes { remark("note: \(text)") }
            }
        case .chosen(let choices): if showsReports { show(choices) }
        case .estimated(let cost): if showsReports { write(cost.sentence) }
        case .warmStart(let transfer): if showsReports { draw(Terminal.fitted(transfer.text)) }
        case .startup(let report):
            draw(Terminal.fitted(report.text(columns: RunDisplay.columns, showsLayers: verbosity == .verbose)))
        case .fold(let number, let count, let run): if verbosity >= .quiet { write("fold \(number)/\(count)  \(run.printable)") }
        case .encoding(let encoding): show(encoding)
        case .batch(let batch, let epochs): show(batch, epochs: epochs)
        case .validating(let done, let total):
            bar.update("validate", done: done, total: total, details: [.init("\(done)/\(total) clips", rank: 0)])
        case .epoch(let epoch, let epochs): show(epoch, epochs: epochs)
        case .learningRateReduced(_, let scale, let rate):
            note("no improvement: learning rates are multiplied by \(scale) from here on; the next rate is \(rate)")
        case .stage(let start):
            note(
                "stage \(start.stage - 1) is finished (\(start.previousEnd.words)); stage \(start.stage) of \(start.stages): "
                    + "\(Formatting.grouped(start.trainableParameters)) trainable parameters, learning rate \(start.learningRate)")
        case .saved(let path, let seconds): detail("saved \(path.printable) in \(Formatting.fixed(seconds, 2)) s")
        case .evaluating(let done, let total): bar.update("evaluate", done: done, total: total, detail: "\(done)/\(total) clips")
        case .reportFailed(let reason, let checkpoint, let split):
            let words = ["eval", "--checkpoint", ShellText.path(checkpoint)] + (split == .train ? ["--split", "train"] : [])
            write("note: the training is finished and saved, but its report could not be made: \(reason). Make it with")
            Terminal.note("  " + ShellText.vidclass(words))
        case .started, .epochSaved, .interrupted, .ended, .foldsEnded: bar.clear()
        }
    }

    /// The columns that lines may use. A log file has no width.
    private static var columns: Int { Terminal.isInteractive ? Terminal.width - 1 : .max }

    /// Writes a line above the bar.
    private func write(_ line: String) {
        bar.clear()
        Terminal.note(Terminal.fitted(line))
    }

    private func draw(_ text: String) {
        bar.clear()
        if verbosity >= .normal { Terminal.write(text + "\n") }
    }

    /// Writes the line, unless it was written before: each fold of a training may have the same remarks.
    private func remark(_ line: String) {
        if remarks.withLock({ $0.insert(line).inserted }) { write(line) }
    }

    private func note(_ line: @autoclosure () -> String) {
        if verbosity >= .normal { write(line()) } else { bar.clear() }
    }

    private func detail(_ line: @autoclosure () -> String) {
        if verbosity == .verbose { write("  " + line()) }
    }

    /// A line for each choice.
    private func show(_ choices: [ConfigurationChoice]) {
        write("Chosen for this data; the run's config.json has all of it:")
        for choice in choices where choice.key != "data.path" { write("  \(choice.key): \(choice.value) (\(choice.because))") }
    }

    private func show(_ encoding: EncodingProgress) {
        let (done, total) = (encoding.clipsDone, encoding.clips)
        bar.update(
            "encode", done: done, total: total,
            details: [
                .init("\(done)/\(total) clips", rank: 1),
                .init("\(Formatting.fixed(encoding.clipsPerSecond, 1)) clips/s", rank: 2),
                .init("\(Formatting.duration(encoding.secondsLeft)) left", rank: 0),
            ])
        guard done == total else { return }
        let encoded = total - encoding.clipsRecalled
        var parts: [String] = []
        if encoded > 0 {
            parts.append("encoded \(Formatting.count(encoded, "clip")) at \(Formatting.fixed(encoding.clipsPerSecond, 1)) clips/s")
        }
        if encoding.clipsRecalled > 0 { parts.append("took \(Formatting.count(encoding.clipsRecalled, "clip")) from the feature cache") }
        note(parts.joined(separator: " and ") + "; this step won't be repeated")
        detail("in \(Formatting.time(encoding.seconds))")
    }

    private func show(_ batch: BatchProgress, epochs: Int) {
        let (own, all) = (Formatting.duration(batch.secondsLeft), Formatting.duration(batch.secondsLeftInAll))
        bar.update(
            "epoch \(batch.epoch)/\(epochs)", done: batch.clipsDone, total: batch.clips,
            details: [
                .init("loss \(Formatting.fixed(batch.loss, 4))", rank: 0), .init("acc \(Formatting.fixed(batch.accuracy, 3))", rank: 2),
                .init("\(Formatting.fixed(batch.clipsPerSecond, 1)) clips/s", rank: 3),
                .init("\(own) left, \(all) overall", short: "\(own)/\(all)", rank: 1),
            ])
    }

    private func show(_ epoch: EpochReport, epochs: Int) {
        bar.clear()
        guard verbosity >= .normal else { return }
        Terminal.draw(
            EpochLine(epoch.record, isBest: epoch.isBest, epochs: epochs).text(columns: RunDisplay.columns, color: Terminal.usesColor)
                + "\n")
        let (record, times) = (epoch.record, epoch.times)
        detail(
            "learning rate \(record.learningRate)"
                + (record.validation.map {
                    "  top-5 \(Formatting.fixed($0[.validationTop5] ?? .nan, 3))  macro F1 \(Formatting.fixed($0[.validationMacroF1] ?? .nan, 3))"
                } ?? ""))
        detail(
            (times.clipsPerSecond.map { "\(Formatting.fixed($0, 1)) clips/s  " } ?? "")
                + "loading \(Formatting.fixed(times.loading, 2)) s  "
                + "steps \(Formatting.fixed(times.steps, 2)) s  validation \(Formatting.fixed(times.validation, 2)) s")
    }
}

extension StageEnd {
    /// Why a stage ended, in words.
    var words: String {
        switch self {
        case .epochs: "all epochs are done"
        case .earlyStopping: "no improvement"
        case .target: "the target is reached"
        }
    }
}
