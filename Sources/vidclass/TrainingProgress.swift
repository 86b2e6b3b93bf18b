import VidConfig
import VidReport
import VidTrain

/// What a training shows and keeps while it runs: the bar, a line an epoch, results.csv, checkpoints.
final class TrainingProgress {
    private let session: TrainingSession
    private let quiet: Bool
    private let bar: ProgressBar
    private var results: ResultsFile

    init(_ session: TrainingSession, quiet: Bool) {
        self.session = session
        self.quiet = quiet
        bar = ProgressBar(quiet: quiet)
        results = session.results
    }

    func clear() { bar.clear() }

    func handle(_ event: TrainingEvent) throws {
        switch event {
        case .encoding(let encoding):
            let (done, total) = (encoding.clipsDone, encoding.clips)
            bar.update(
                "encode", done: done, total: total,
                detail: "\(done)/\(total) clips  \(Formatting.fixed(encoding.clipsPerSecond, 1)) clips/s  "
                    + "\(Formatting.duration(encoding.secondsLeft)) left")
            if done == total, !quiet {
                bar.clear()
                Terminal.note(summary(encoding))
            }
        case .batch(let batch):
            bar.update(
                "epoch \(batch.epoch)/\(batch.epochs)", done: batch.clipsDone, total: batch.clips,
                detail: "loss \(Formatting.fixed(batch.loss, 4))  acc \(Formatting.fixed(batch.accuracy, 3))  "
                    + "\(Formatting.fixed(batch.clipsPerSecond, 1)) clips/s  \(Formatting.duration(batch.secondsLeft)) left")
        case .validating(let done, let total):
            bar.update("validate", done: done, total: total, detail: "\(done)/\(total) clips")
        case .epoch(let record, let isBest):
            bar.clear()
            if !quiet { Terminal.note(line(record, isBest)) }
            if isBest { try session.saveBest() }
            // Before the state: what results.csv has beyond it is dropped when the run is resumed.
            try results.append(record)
            try session.saveLast()
        case .interrupted:
            bar.clear()
            try session.saveLast()
        }
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

    /// "epoch  3/20  loss 0.2241  acc 0.931  val loss 0.1903  val acc 0.950  best  0:42"
    private func line(_ record: EpochRecord, _ isBest: Bool) -> String {
        let epochs = "\(session.configuration.training.epochs)"
        let epoch = String(repeating: " ", count: max(0, epochs.count - "\(record.epoch)".count)) + "\(record.epoch)"
        var line =
            "epoch \(epoch)/\(epochs)  loss \(Formatting.fixed(record.trainLoss, 4))  acc \(Formatting.fixed(record.trainAccuracy, 3))"
        if let loss = record.validationLoss, let accuracy = record.validationAccuracy {
            line += "  val loss \(Formatting.fixed(loss, 4))  val acc \(Formatting.fixed(accuracy, 3))"
        }
        return line + (isBest ? "  best" : "      ") + "  " + Formatting.duration(record.seconds)
    }
}
