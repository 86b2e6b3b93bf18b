import ArgumentParser
import Foundation
import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// What a training shows and keeps while it runs: the terminal and the stream of events, results.csv, TensorBoard's log,
/// checkpoints, the run's record.
final class TrainingProgress {
    private let session: TrainingSession
    private let display: TrainingDisplay
    private let stream: TrainingStream?
    private var results: ResultsFile?
    private var board: TensorBoardLog?
    private var record: RunRecord
    private let start = ContinuousClock.now
    private let isIdle: Bool
    private var saved = ContinuousClock.now
    private var streamed: ContinuousClock.Instant?

    init(_ session: TrainingSession, _ talk: TrainingTalk) throws {
        self.session = session
        display = TrainingDisplay(talk)
        stream = talk.stream
        results = session.results
        record = RunRecord(
            version: Vidclass.configuration.version, command: CommandLine.arguments, started: Date.now.formatted(.iso8601))
        let before = record.carryOver(from: session.folder?.recordPath)
        isIdle = before == .finished && session.isOver
        record.clips = session.clipCounts
        try write(.running)
    }

    /// Says what begins, and begins what is kept beside the state.
    func begin() throws {
        if !session.isOver { session.folder?.removeReport() }
        try stream?.start(session)
        display.memory(session.stagePlan, session.trainer.classifier)
        if let folder = session.folder, session.configuration.output.tensorboard, !session.isOver {
            board = try TensorBoardLog(
                in: folder.path, epochs: session.trainer.state.epoch, isResumed: session.isResumed,
                configuration: session.configuration.text, command: CommandLine.arguments,
                parameters: session.trainer.classifier.parameters, session.workers)
        }
    }

    func clear() { display.clear() }

    func handle(_ event: TrainingEvent) throws {
        switch event {
        case .encoding(let encoding):
            display.encoding(encoding)
            try send(encoding)
        case .batch(let batch):
            display.batch(batch, epochs: session.trainer.epochsInAll)
            if let minutes = session.configuration.training.saveEveryMinutes, (ContinuousClock.now - saved).seconds >= minutes * 60 {
                try saveLast()
            }
        case .validating(let done, let total):
            display.validating(done, of: total)
        case .epoch(let epoch):
            display.epoch(epoch, epochs: session.trainer.epochsInAll)
            try keep(epoch)
            try stream?.epoch(epoch, session.trainer)
        case .learningRateReduced(let scale):
            let rate = session.trainer.nextLearningRate
            display.note("nothing got better: learning rates are multiplied by \(scale) from here on, the next one is \(rate)")
            try stream?.learningRateReduced(scale: scale, session.trainer)
        case .interrupted:
            display.clear()
            try saveLast()
        }
    }

    /// The state after the results and the log: what they have beyond it is dropped when the run is resumed. The models after the
    /// state: what is missing of them then is made again from it.
    private func keep(_ epoch: EpochReport) throws {
        try results?.append(epoch.record)
        if let board {
            let start = ContinuousClock.now
            let trainer = session.trainer
            try board.write(epoch, trainer.classifier.parameters, holdsGradients: trainer.holdsGradients, session.workers)
            display.saved("TensorBoard's figures", since: start)
        }
        try saveLast()
        guard let folder = session.folder else { return }
        if epoch.isBest {
            let start = ContinuousClock.now
            try session.saveBest()
            display.saved(folder.bestPath, since: start)
            // A run that is killed is to say what its best model is.
            try write(.running)
        }
        if let period = session.configuration.training.saveEveryEpochs, epoch.record.epoch % period == 0 {
            let start = ContinuousClock.now
            try session.saveEpoch(epoch.record.epoch)
            display.saved(folder.epochPath(epoch.record.epoch), since: start)
        }
    }

    /// Says that a stage is over and which begins.
    func beginStage(_ stage: Int, of stages: Int, after end: StageEnd) throws {
        let plan = session.configuration.stagePlans[stage]
        display.note(
            "stage \(stage) is over (\(TrainingProgress.text(end))); stage \(stage + 1) of \(stages): "
                + "\(Formatting.grouped(session.trainer.classifier.parameters.counts.trainable)) parameters trained, "
                + "learning rate \(plan.learningRate)")
        display.memory(session.stagePlan, session.trainer.classifier)
        try stream?.stage(stage, of: stages, after: end, session)
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
        let start = ContinuousClock.now
        try session.saveLast()
        saved = .now
        if let folder = session.folder { display.saved(folder.lastPath, since: start) }
    }

    /// At most one line a second, and the last.
    private func send(_ encoding: EncodingProgress) throws {
        guard let stream else { return }
        let now = ContinuousClock.now
        if let streamed, now - streamed < .seconds(1), encoding.clipsDone < encoding.clips { return }
        streamed = now
        try stream.encoding(encoding)
    }
}
