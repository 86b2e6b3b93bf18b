import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

// The training itself, from the first stage to the last, with what is reported and saved on the way.

extension TrainingRun {
    /// Trains until all stages are over or `stop` is met, and writes the report at the end. Not for dry runs.
    ///
    /// - Throws: what the training throws, with run.json saying so, and errors of the runtime's observer.
    package func run(until stop: StopCondition) async throws -> Outcome {
        guard let folder else { preconditionFailure("a dry run cannot train") }
        let wasOver = isOver
        start = .now
        try writeRecord(.running)
        do {
            try begin(folder)
            guard let end = try await train(until: stop) else {
                let reason = stop.reason
                try writeRecord(.interrupted, reason: reason.rawValue)
                try runtime.observe(
                    .interrupted(
                        TrainingStop(
                            run: folder.path, reason: reason, epoch: trainer.state.epoch, step: trainer.state.step,
                            lastCheckpoint: folder.lastPath)))
                if reason == .timeIsUp { try runtime.observe(.ended(result(nil, folder))) }
                return .stopped(reason)
            }
            try writeRecord(.finished, reason: end.rawValue)
            try await complete(folder, needsReport: !wasOver || !folder.report.exists, until: stop)
            let result = result(end, folder)
            try runtime.observe(.ended(result))
            return .finished(result)
        } catch {
            try? writeRecord(.failed, reason: "\(error)")
            folder.removeIfNothingWasSaved(except: isOnlyStarted ? folder.lastPath : nil)
            throw error
        }
    }

    private func begin(_ folder: RunFolder) throws {
        if !isOver { folder.removeReport() }
        let counts = trainer.classifier.parameters.counts
        try runtime.observe(
            .started(
                TrainingStart(
                    run: folder.path, isResumed: isResumed, epochs: trainer.epochsInAll, epochsDone: trainer.state.epoch,
                    stages: configuration.stagePlans.count, stage: trainer.state.stage + 1, classes: data.classes, clips: clipCounts,
                    parameters: counts, monitor: trainer.monitor.metric.rawValue, threads: runtime.workers.count,
                    memoryBytes: largestMemoryPlan.estimate.total)))
        try describeMemory()
        if configuration.output.tensorboard, !isOver {
            board = try TensorBoardLog(
                in: folder.path, epochs: trainer.state.epoch, isResumed: isResumed, configuration: configuration.text,
                command: runtime.command, parameters: trainer.classifier.parameters, runtime.workers)
        }
    }

    /// - Returns: why the last stage ended; nil if the training was stopped before.
    private func train(until stop: StopCondition) async throws -> StageEnd? {
        let stages = configuration.stagePlans.count
        while true {
            let before = trainer.classifier.frozenDigest
            try await announceStage()
            let outcome = try await trainer.run(shouldStop: { stop.isMet }, handle: { try handle($0) })
            try checkFrozen(before, trainer.classifier.frozenDigest)
            guard case .finished(let end) = outcome else { return nil }
            try restoreBest()
            guard trainer.state.stage + 1 < stages else { return end }
            try beginNextStage()
            let stage = trainer.state.stage
            try runtime.observe(
                .stage(
                    StageStart(
                        stage: stage + 1, stages: stages, previousEnd: end,
                        trainableParameters: trainer.classifier.parameters.counts.trainable,
                        learningRate: configuration.stagePlans[stage].learningRate)))
            try describeMemory()
        }
    }

    private func handle(_ event: TrainingEvent) throws {
        let epochs = trainer.epochsInAll
        switch event {
        case .encoding(let encoding): try runtime.observe(.encoding(encoding))
        case .batch(let batch):
            try runtime.observe(.batch(batch, epochs: epochs))
            if let minutes = configuration.training.saveEveryMinutes, (ContinuousClock.now - lastSaved).seconds >= minutes * 60 {
                try saveLast()
            }
        case .validating(let done, let total): try runtime.observe(.validating(clipsDone: done, clips: total))
        case .epoch(let epoch):
            try runtime.observe(.epoch(epoch, epochs: epochs))
            try save(epoch)
            try runtime.observe(.epochSaved(epoch, epochs: epochs, stage: trainer.state.stage + 1))
        case .learningRateReduced(let scale):
            try runtime.observe(
                .learningRateReduced(epoch: trainer.state.epoch, scale: scale, learningRate: trainer.nextLearningRate))
        case .interrupted: try saveLast()
        }
    }

    /// Compares the frozen weights after a stage with those before it.
    private func checkFrozen(_ before: String?, _ after: String?) throws {
        guard let before, let after else { return }
        let stage = trainer.state.stage + 1
        record.frozen.append(.init(stage: stage, before: before, after: after))
        guard before == after else {
            throw VidclassError(.other, "frozen weights have changed in stage \(stage): this is a bug in vidclass, please report it")
        }
    }

    private func describeMemory() throws {
        for line in memoryPlan.lines(trainer.classifier) { try runtime.observe(.detail(line)) }
    }

    /// - Parameter end: nil if the training's time was up.
    private func result(_ end: StageEnd?, _ folder: RunFolder) -> TrainingResult {
        let heldOut = Split.heldOut(of: data)
        return TrainingResult(
            run: folder.path, epochs: trainer.state.epoch, end: end, patience: configuration.training.earlyStopping.patience,
            seconds: trainer.secondsSinceStart,
            monitor: trainer.monitor.metric.rawValue, best: trainer.state.best, isRestored: trainer.state.isRestored,
            hasHeldOutClips: heldOut != .train, hasValidation: !data.entries(of: .validation).isEmpty,
            exampleClip: data.entries(of: heldOut).first?.path, bestCheckpoint: folder.bestPath,
            lastCheckpoint: folder.lastPath,
            results: folder.resultsPath, report: folder.report.exists ? folder.report.page : nil,
            hasTensorBoardLog: configuration.output.tensorboard)
    }
}
