import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidReport
import VidTrain

// The report at the end of a training: the best epoch's model on the held-out clips.

extension TrainingRun {
    /// The training is finished and saved, but its user does not want to wait for the report.
    private struct Interrupted: Error {}

    /// Writes the report. The training is finished and saved: a failure here is reported as an event and changes nothing in the run.
    func writeReport(in folder: RunFolder, until stop: StopCondition) async throws {
        do { try await evaluateAndWrite(in: folder, until: stop) } catch {
            try runtime.observe(
                .reportFailed(
                    reason: error is Interrupted ? "interrupted" : "\(error)", checkpoint: folder.bestPath, split: .heldOut(of: data)))
        }
    }

    private func evaluateAndWrite(in folder: RunFolder, until stop: StopCondition) async throws {
        let split = Split.heldOut(of: data)
        let entries = data.entries(of: split)
        let start = ContinuousClock.now
        let evaluation = try await evaluateBest(
            split == .validation ? nil : LabelledClips(entries, loader: ClipLoader(configuration), keepingBytes: 0), in: folder
        ) { done, total in
            if stop.isRequested { throw Interrupted() }
            try runtime.observe(.evaluating(clipsDone: done, clips: total))
        }
        let writer = ReportWriter(
            classifier: trainer.classifier, configuration: configuration, checkpoint: folder.bestPath, runtime: runtime, entries: entries,
            evaluation: evaluation, seconds: (ContinuousClock.now - start).seconds)
        try await writer.write(
            to: folder.report,
            ReportWriter.Context(
                title: folder.path, part: EvaluatedSplit(split), source: configuration.data.path, story: folder.story(configuration),
                data: DataSummary(readingFrom: folder.dataPath) ?? DataSummary(data)))
    }

    /// Evaluates the best epoch's model on `clips`, or on the validation split if nil. The trainer's weights are the best epoch's
    /// from then on; what is saved stays.
    private func evaluateBest(
        _ clips: LabelledClips?, in folder: RunFolder, progress: (_ done: Int, _ total: Int) throws -> Void
    ) async throws -> Evaluation {
        let before = trainer.classifier.frozenDigest
        try Checkpoint.open(folder.bestPath).load(into: trainer.classifier.parameters)
        // Features in memory belong to the weights before: an earlier stage may have trained the layers that are frozen now.
        let areFeaturesValid = trainer.classifier.frozenDigest == before
        return try await trainer.evaluate(clips, cache: runtime.cache, reusesFeatures: areFeaturesValid, progress: progress)
    }
}
