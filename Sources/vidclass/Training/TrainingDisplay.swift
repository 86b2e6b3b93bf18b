import VidConfig
import VidModel
import VidReport
import VidTensor
import VidTrain

/// What a user sees of a training on standard error: the bar, a line an epoch, notes.
final class TrainingDisplay {
    private let quiet: Bool
    private let isVerbose: Bool
    private let bar: ProgressBar

    init(_ talk: TrainingTalk) {
        quiet = talk.quiet
        isVerbose = talk.verbose && !talk.quiet
        bar = ProgressBar(quiet: talk.quiet)
    }

    func clear() { bar.clear() }

    /// Writes a line above the bar.
    func note(_ line: @autoclosure () -> String) {
        bar.clear()
        if !quiet { Terminal.note(line()) }
    }

    /// A line that only `--verbose` shows.
    func detail(_ line: @autoclosure () -> String) {
        guard isVerbose else { return }
        bar.clear()
        Terminal.note("  " + line())
    }

    /// What is kept in memory, layer by layer where that differs.
    func memory(_ plan: MemoryPlan, _ classifier: Classifier) {
        guard isVerbose else { return }
        if classifier.frozen != nil {
            detail(
                "the outputs of the frozen layers of \(Formatting.count(plan.samples, "clip")) "
                    + (plan.keepsFeatures ? "are kept in memory" : "do not fit into memory or are new each time: they are taken anew"))
        } else {
            detail("up to \(Formatting.bytes(plan.keptClipBytes)) of loaded clips are kept between epochs")
        }
        guard let activations = plan.step.activations, let trained = classifier.trained else { return }
        detail("a step keeps up to \(Formatting.bytes(activations.bytes)) of activations:")
        for part in activations.parts {
            let frames = "  frames \(part.frames.lowerBound + 1) to \(part.frames.upperBound): "
            let what =
                part.from == 0
                ? "all layers" : part.from < trained.layers.count ? "from \(trained.layers[part.from].name) on" : "none, all is made again"
            detail(frames + what)
        }
    }

    func encoding(_ encoding: EncodingProgress) {
        let (done, total) = (encoding.clipsDone, encoding.clips)
        bar.update(
            "encode", done: done, total: total,
            details: [
                .init("\(done)/\(total) clips", rank: 1),
                .init("\(Formatting.fixed(encoding.clipsPerSecond, 1)) clips/s", rank: 2),
                .init("\(Formatting.duration(encoding.secondsLeft)) left", rank: 0),
            ])
        guard done == total else { return }
        note(summary(encoding))
        detail("in \(Formatting.duration(encoding.seconds))")
    }

    func batch(_ batch: BatchProgress, epochs: Int) {
        let (own, all) = (Formatting.duration(batch.secondsLeft), Formatting.duration(batch.secondsLeftInAll))
        bar.update(
            "epoch \(batch.epoch)/\(epochs)", done: batch.clipsDone, total: batch.clips,
            details: [
                .init("loss \(Formatting.fixed(batch.loss, 4))", rank: 0), .init("acc \(Formatting.fixed(batch.accuracy, 3))", rank: 2),
                .init("\(Formatting.fixed(batch.clipsPerSecond, 1)) clips/s", rank: 3),
                .init("\(own) left, \(all) in all", short: "\(own)/\(all)", rank: 1),
            ])
    }

    func validating(_ done: Int, of total: Int) {
        bar.update("validate", done: done, total: total, details: [.init("\(done)/\(total) clips", rank: 0)])
    }

    func epoch(_ epoch: EpochReport, epochs: Int) {
        // A log has no width.
        let columns = Terminal.isInteractive ? Terminal.width - 1 : .max
        bar.clear()
        guard !quiet else { return }
        Terminal.draw(
            EpochLine(epoch.record, isBest: epoch.isBest, epochs: epochs).text(columns: columns, color: Terminal.usesColor) + "\n")
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

    /// Says that a file was written, from `start` on.
    func saved(_ path: String, since start: ContinuousClock.Instant) {
        detail("saved \(path) in \(Formatting.fixed((ContinuousClock.now - start).seconds, 2)) s")
    }

    /// "encoded 61 clips at 2.4 clips/s and took 3 from the feature cache; the features serve every epoch"
    private func summary(_ encoding: EncodingProgress) -> String {
        let encoded = encoding.clips - encoding.clipsRecalled
        var parts: [String] = []
        if encoded > 0 {
            parts.append("encoded \(Formatting.count(encoded, "clip")) at \(Formatting.fixed(encoding.clipsPerSecond, 1)) clips/s")
        }
        if encoding.clipsRecalled > 0 {
            parts.append(
                "took \(encoded > 0 ? "\(encoding.clipsRecalled)" : Formatting.count(encoding.clipsRecalled, "clip")) from the feature cache"
            )
        }
        return parts.joined(separator: " and ") + "; the features serve every epoch"
    }
}
