import FoundationEssentials
import VidConfig
import VidData
import VidReport
import VidSystem
import VidTrain

/// A saved model's evaluation on labelled clips, and its report.
package struct ModelEvaluation {
    package let evaluation: Evaluation
    package let metrics: EvaluationMetrics
    private let saved: SavedModel
    private let clips: EvaluatedClips
    private let runtime: Runtime
    private let seconds: Double

    /// Evaluates the model.
    ///
    /// - Throws: what loading a clip throws, and `.badData` if the scores of a clip or the loss are not finite.
    package init(_ saved: SavedModel, on clips: EvaluatedClips, in runtime: Runtime) async throws {
        self.saved = saved
        self.clips = clips
        self.runtime = runtime
        let start = ContinuousClock.now
        // The shape of a clip says what is wrong more clearly than the memory that the model's would take.
        try saved.loader.checkSize(of: clips.entries[0].path)
        let (predictor, inputs) = try saved.evaluation(of: clips.entries, in: runtime)
        try await EvaluateOrder.send(
            saved.path, frameFolderRate: saved.configuration.data.frameFolderRate, inputs.clips, to: runtime.cluster)
        evaluation = try await predictor.evaluate(inputs, familiarity: saved.familiarity, in: runtime.cluster) {
            try runtime.observe(.evaluating(clipsDone: $0, clips: $1))
        }
        for (entry, clip) in zip(clips.entries, evaluation.clips) { try saved.requireFinite(clip.scores, of: entry.path) }
        guard evaluation.loss.isFinite else {
            throw VidclassError.file(
                saved.path, "the loss on these clips is \(evaluation.loss). The model has diverged: name another with --checkpoint")
        }
        metrics = EvaluationMetrics(evaluation)
        seconds = (ContinuousClock.now - start).seconds
    }

    /// Writes the report: into the run's folder if it is about the run's best model and held-out clips, else into a new one.
    ///
    /// - Parameter output: another folder, made if needed.
    /// - Returns: the report's folder.
    package func writeReport(to output: String?) async throws -> ReportFolder {
        let run = saved.runFolder
        let isRuns = clips.isHeldOutOfRun && saved.isBest && output == nil
        var story = run?.story(saved.configuration)
        if let fault = story?.fault { try runtime.note(fault) }
        // Curves and costs belong to the run's best model.
        if !saved.isBest { story?.record?.bestEpoch = nil }
        let folder: ReportFolder
        var isNew = false
        if isRuns, let run {
            try run.checkLinks()
            folder = run.report
        } else if let output {
            isNew = try Folder.make(output)
            folder = ReportFolder(path: output)
        } else {
            isNew = true
            folder = try RunFolder.create(
                directory: run?.path ?? OutputConfiguration().directory, name: "eval", existOk: false, holdsWeights: false
            ).report
        }
        let kept = run.flatMap { DataSummary(readingFrom: $0.dataPath) }
        let writer = ReportWriter(
            classifier: saved.classifier, configuration: saved.configuration, checkpoint: saved.path, runtime: runtime,
            loader: ClipLoader(saved.configuration), entries: clips.entries, evaluation: evaluation, seconds: seconds)
        let context = ReportWriter.Context(
            title: folder.path, part: clips.part, source: clips.source, unknownClips: clips.unknownClips, story: story,
            data: kept ?? (clips.isOfRun ? DataSummary(clips.set) : nil),
            evaluatedData: clips.isOfRun ? nil : DataSummary(clips.set), command: isRuns ? nil : runtime.command)
        do { try await writer.write(to: folder, context) } catch {
            // A report without its page is none.
            if isNew { try? FileManager.default.removeItem(atPath: folder.path) }
            throw error
        }
        return folder
    }
}
