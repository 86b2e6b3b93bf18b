import ArgumentParser
import Foundation
import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidReport
import VidTensor
import VidTrain

/// What a training shows and keeps while it runs: the bar, a line an epoch, results.csv, checkpoints, the run's record.
final class TrainingProgress {
    private let session: TrainingSession
    private let quiet: Bool
    private let bar: ProgressBar
    private var results: ResultsFile?
    private var record: RunRecord
    private let start = ContinuousClock.now
    private let isIdle: Bool
    private var saved = ContinuousClock.now

    init(_ session: TrainingSession, quiet: Bool) throws {
        self.session = session
        self.quiet = quiet
        bar = ProgressBar(quiet: quiet)
        results = session.results
        record = RunRecord(
            version: Vidclass.configuration.version, command: CommandLine.arguments, started: Date.now.formatted(.iso8601))
        let before = record.carryOver(from: session.folder?.recordPath)
        isIdle = before == .finished && session.isOver
        record.clips = DataPart.allCases.map { ($0.rawValue, session.data.entries(of: $0).count) }
        try write(.running)
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
            if done == total { note(summary(encoding)) }
        case .batch(let batch):
            bar.update(
                "epoch \(batch.epoch)/\(batch.epochs)", done: batch.clipsDone, total: batch.clips,
                detail: "loss \(Formatting.fixed(batch.loss, 4))  acc \(Formatting.fixed(batch.accuracy, 3))  "
                    + "\(Formatting.fixed(batch.clipsPerSecond, 1)) clips/s  \(Formatting.duration(batch.secondsLeft)) left")
            if let minutes = session.configuration.training.saveEveryMinutes, (ContinuousClock.now - saved).seconds >= minutes * 60 {
                try saveLast()
            }
        case .validating(let done, let total):
            bar.update("validate", done: done, total: total, detail: "\(done)/\(total) clips")
        case .epoch(let epoch, let isBest):
            note(line(epoch, isBest))
            // The state after the results: what they have beyond it is dropped when the run is resumed. The models after the
            // state: what is missing of them then is made again from it.
            try results?.append(epoch)
            try saveLast()
            if isBest { try session.saveBest() }
            if let period = session.configuration.training.saveEveryEpochs, epoch.epoch % period == 0 {
                try session.saveEpoch(epoch.epoch)
            }
        case .learningRateReduced(let scale):
            note("nothing got better: learning rates are multiplied by \(scale) from here on")
        case .interrupted:
            bar.clear()
            try saveLast()
        }
    }

    /// Says that a stage is over and which begins.
    func beginStage(_ stage: Int, of stages: Int, after end: StageEnd) {
        let plan = session.configuration.stagePlans[stage]
        note(
            "stage \(stage) is over (\(TrainingProgress.text(end))); stage \(stage + 1) of \(stages): "
                + "\(Formatting.grouped(session.trainer.classifier.parameters.counts.trainable)) parameters trained, "
                + "learning rate \(plan.learningRate)")
    }

    /// Holds the frozen weights after a stage against those before it.
    func checkFrozen(_ before: String?, _ after: String?, stage: Int) throws {
        guard let before, let after else { return }
        record.frozen.append(.init(stage: stage + 1, before: before, after: after))
        guard before == after else {
            try? write(.failed)
            throw VidclassError(.other, "frozen weights have changed in stage \(stage + 1): this is a fault of vidclass, please report it")
        }
    }

    /// Writes the run's record.
    func write(_ state: RunRecord.State, reason: String? = nil) throws {
        // Where there was nothing to do, the record of what was done stays.
        guard let folder = session.folder, !isIdle else { return }
        let trainer = session.trainer.state
        record.state = state
        record.stopReason = reason
        record.seconds = record.secondsBefore + (ContinuousClock.now - start).seconds
        record.epochs = trainer.epoch
        record.stage = trainer.stage + 1
        record.monitor = session.trainer.monitor.metric.rawValue
        record.bestEpoch = trainer.best?.epoch
        record.bestValue = trainer.best?.value
        try record.write(to: folder.recordPath)
    }

    static func text(_ end: StageEnd) -> String {
        switch end {
        case .epochs: "all its epochs"
        case .earlyStopping: "nothing got better"
        case .target: "the target is reached"
        }
    }

    private func saveLast() throws {
        try session.saveLast()
        saved = .now
    }

    private func note(_ line: String) {
        bar.clear()
        if !quiet { Terminal.note(line) }
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
        if let validation = record.validation {
            line += "  val loss \(Formatting.fixed(validation.loss, 4))  val acc \(Formatting.fixed(validation.accuracy, 3))"
        }
        return line + (isBest ? "  best" : "      ") + "  " + Formatting.duration(record.seconds)
    }
}
