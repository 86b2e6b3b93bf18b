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
    /// - Throws: what loading a clip throws, and `.nonFinite` if the loss isn't finite.
    package init(_ saved: SavedModel, on clips: EvaluatedClips, in runtime: Runtime) async throws {
        self.saved = saved
        self.clips = clips
        self.runtime = runtime
        let start = ContinuousClock.now
        let predictor = saved.predictor(runtime.workers)
        let inputs = try StepInputs(
            LabelledClips(clips.entries, loader: saved.loader, keepingBytes: 0), .evaluation(saved.configuration), in: predictor,
            features: FeatureStorage(cache: runtime.cache, keepsInMemory: false))
        evaluation = try await predictor.evaluate(inputs) { try runtime.observe(.evaluating(clipsDone: $0, clips: $1)) }
        guard evaluation.loss.isFinite else {
            throw VidclassError(.nonFinite, "\(saved.path): the loss on these clips is \(evaluation.loss); the model has diverged")
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
        if isRuns, let run {
            folder = run.report
        } else if let output {
            try Folder.make(output)
            folder = ReportFolder(path: output)
        } else {
            folder = try RunFolder.create(
                directory: run?.path ?? OutputConfiguration().directory, name: "eval", existOk: false, holdsWeights: false
            ).report
        }
        let kept = run.flatMap { DataSummary(readingFrom: $0.dataPath) }
        let writer = ReportWriter(
            classifier: saved.classifier, configuration: saved.configuration, checkpoint: saved.path, runtime: runtime,
            entries: clips.entries, evaluation: evaluation, seconds: seconds)
        try await writer.write(
            to: folder,
            ReportWriter.Context(
                title: folder.path, part: clips.part, source: clips.source, unknownClips: clips.unknownClips, story: story,
                data: kept ?? (clips.isOfRun ? DataSummary(clips.set) : nil),
                evaluatedData: clips.isOfRun ? nil : DataSummary(clips.set), command: isRuns ? nil : runtime.command))
        return folder
    }
}
