import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTrain

// The work after a finished training: the best epoch's model learns to recognise unfamiliar clips, and the report is written.

extension TrainingRun {
    /// The training is finished and saved, but its user does not want to wait for the rest.
    private struct Interrupted: Error {}

    /// Completes the best epoch's model and, if there is none, the report. The training is finished and saved: a failure here is
    /// reported as an event and changes nothing else in the run. The trainer's weights are the best epoch's from then on.
    ///
    /// - Parameter needsReport: whether a report is to be written, even if there is one.
    func complete(_ folder: RunFolder, needsReport: Bool, until stop: StopCondition) async throws {
        let best = Result { try Checkpoint.open(folder.bestPath) }
        let needsFamiliarity = (try? best.get()).map { !Familiarity.isIn($0) } ?? false
        guard needsReport || (needsFamiliarity && trainer.canTellFamiliarity) else { return }
        do {
            let before = trainer.classifier.frozenDigest
            try best.get().load(into: trainer.classifier.parameters)
            // Features in memory belong to the weights before: an earlier stage may have trained the layers that are frozen now.
            let areFeaturesValid = trainer.classifier.frozenDigest == before
            if needsFamiliarity { try await learnFamiliarity(in: folder, reusesFeatures: areFeaturesValid, until: stop) }
            if needsReport { try await evaluateAndWrite(in: folder, reusesFeatures: areFeaturesValid, until: stop) }
        } catch {
            try runtime.observe(
                .reportFailed(
                    reason: error is Interrupted ? "interrupted" : "\(error)", checkpoint: folder.bestPath, split: .heldOut(of: data)))
        }
    }

    /// Adds to the best epoch's model, which the trainer holds, what tells unfamiliar clips. The model is good without it, so a
    /// failure is noted.
    private func learnFamiliarity(in folder: RunFolder, reusesFeatures: Bool, until stop: StopCondition) async throws {
        do {
            let familiarity = try await trainer.familiarity(cache: runtime.cache, reusesFeatures: reusesFeatures) {
                try await share($0, folder)
            } progress: { done, total in
                if stop.isRequested { throw Interrupted() }
                try runtime.observe(.evaluating(clipsDone: done, clips: total))
            }
            if let familiarity { try saveBest(with: familiarity, in: folder) }
        } catch {
            try runtime.note(
                "the model cannot tell unfamiliar videos yet (\(error is Interrupted ? "interrupted" : "\(error)")). "
                    + "Try again with `\(ShellText.vidclass("train", "--resume", ShellText.path(folder.path)))`")
        }
    }

    /// Has the other ranks take part in the encoding of clips by the best epoch's model.
    private func share(_ clips: LabelledClips, _ folder: RunFolder) async throws {
        try await EvaluateOrder.send(
            folder.bestPath, frameFolderRate: configuration.data.frameFolderRate, clips, to: runtime.cluster)
    }

    /// Writes the report about the best epoch's model, which the trainer holds.
    private func evaluateAndWrite(in folder: RunFolder, reusesFeatures: Bool, until stop: StopCondition) async throws {
        let split = Split.heldOut(of: data)
        let entries = data.entries(of: split)
        let loader = ClipLoader(configuration).taking(from: clips)
        let start = ContinuousClock.now
        let evaluation = try await trainer.evaluate(
            split == .validation ? nil : LabelledClips(entries, loader: loader, keepingBytes: 0),
            cache: runtime.cache, reusesFeatures: reusesFeatures
        ) {
            try await share($0, folder)
        } progress: { done, total in
            if stop.isRequested { throw Interrupted() }
            try runtime.observe(.evaluating(clipsDone: done, clips: total))
        }
        let writer = ReportWriter(
            classifier: trainer.classifier, configuration: configuration, checkpoint: folder.bestPath, runtime: runtime, loader: loader,
            entries: entries, evaluation: evaluation, seconds: (ContinuousClock.now - start).seconds)
        try await writer.write(
            to: folder.report,
            ReportWriter.Context(
                title: folder.path, part: EvaluatedSplit(split), source: configuration.data.path, story: folder.story(configuration),
                data: DataSummary(readingFrom: folder.dataPath) ?? DataSummary(data)))
    }
}
