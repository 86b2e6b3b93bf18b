import FoundationEssentials
import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// Writes the report of an evaluation: the page, its curves, the confusion matrix, the predictions and the environment.
struct ReportWriter {
    let classifier: Classifier
    let configuration: RunConfiguration
    /// The path of the evaluated weights.
    let checkpoint: String
    let runtime: Runtime
    /// Loads the clips that the report shows.
    let loader: ClipLoader
    /// The evaluated clips, in the order of the evaluation.
    let entries: [DataSet.Entry]
    let evaluation: Evaluation
    /// How long the evaluation took.
    let seconds: Double

    /// The parts of a report that do not come from the evaluation.
    struct Context {
        var title: String
        var part: EvaluatedSplit
        var source: String
        var unknownClips = 0
        var story: RunStory?
        /// The data of the training, if it is known.
        var data: DataSummary?
        /// The data of the evaluation, if it is not the training's.
        var evaluatedData: DataSummary?
        var command: [String]?
    }

    /// Writes all files into an existing folder, the page last.
    func write(to folder: ReportFolder, _ context: Context) async throws {
        let environment = RunEnvironment(version: runtime.version, threads: runtime.workers.count)
        let metrics = EvaluationMetrics(evaluation)
        var report = RunReport(
            title: context.title, split: context.part, source: context.source, metrics: metrics, examples: await examples(),
            model: model(context.data),
            story: context.story, data: context.data, environment: environment, command: context.command, seconds: seconds,
            peakBytes: Machine.peakResidentBytes)
        report.unknownClips = context.unknownClips
        report.evaluatedData = context.evaluatedData
        try PredictionsFile.write(evaluation, to: folder.predictions)
        // A finished run keeps the environment that it was trained in.
        if !FileManager.default.fileExists(atPath: folder.environment) { try environment.write(to: folder.environment) }
        try write(ConfusionPlot.pair(metrics.classes, metrics.confusion, palette: .file).file, to: folder.confusion)
        if let story = context.story, !story.epochs.isEmpty {
            try write(CurvePlot(story.epochs, best: story.bestEpoch, palette: .file).row.file, to: folder.curves)
        }
        try write(ReportPage(report).html, to: folder.page)
    }

    private func write(_ text: String, to path: String) throws {
        try AtomicFile.write(to: path) { try $0.write(text.utf8) }
    }

    private func model(_ data: DataSummary?) -> RunReport.Model {
        let input = classifier.configuration.input
        let summary = TrainingSummary(
            configuration, clips: data?.clips(of: Split.train.rawValue) ?? 0,
            // Without the data, the number of clips to encode is unknown.
            hasFrozenLayers: data != nil && classifier.frozen != nil,
            hasValidation: (data?.clips(of: Split.validation.rawValue) ?? 1) > 0)
        // A line without a label continues the one before it.
        var lines: [(label: String, text: String)] = []
        for line in summary.lines {
            if line.label.isEmpty, let last = lines.indices.last { lines[last].text += "; " + line.text } else { lines.append(line) }
        }
        return RunReport.Model(
            checkpoint: checkpoint, layers: classifier.layers, parameters: classifier.parameters.counts,
            input: input.text, training: lines)
    }

    // MARK: Example clips

    private func examples() async -> [ExampleGroup] {
        // Where there is no memory for explanations, the reason stands in the place of each picture. The inputs are for the features that the
        // evaluation has found or made.
        let sources = Result {
            let predictor = try Predictor(
                classifier, preprocessing: configuration.data.preprocessing, for: .explanation(samples: 1), loadedClips: 5,
                workers: runtime.workers, source: checkpoint)
            let inputs = try StepInputs(
                LabelledClips(entries, loader: loader, keepingBytes: 0), SamplePlan.evaluation(configuration), in: predictor,
                features: FeatureStorage(cache: runtime.cache, keepsInMemory: false))
            return (predictor, inputs)
        }
        var groups: [ExampleGroup] = []
        for (kind, places) in ExampleChoice.choose(evaluation.clips) {
            var examples: [ClipExample] = []
            for place in places { examples.append(await example(place, sources)) }
            groups.append(ExampleGroup(kind: kind, examples: examples))
        }
        return groups
    }

    /// The most frames of a clip that a report shows.
    private static let mostFrames = 6

    private func example(_ place: Int, _ sources: Result<(Predictor, StepInputs), any Error>) async -> ClipExample {
        let clip = evaluation.clips[place]
        let samples = SamplePlan.evaluation(configuration)
        let (perClip, middle) = (samples.perClip ?? 1, (samples.perClip ?? 1) / 2)
        let picture: Result<ClipExample.Picture, VidclassError>?
        var remark: String?
        do {
            let loaded = try await loader.load(entries[place].path, samples.view(middle, of: clip.clip))
            let (predictor, inputs) = try sources.get()
            let shown = FrameStrip.shown(ReportWriter.mostFrames, of: loaded.validFrames)
            let known = try inputs.recalled(item: place * perClip + middle).map { ($0, shown) }
            let explanation = predictor.explain(try predictor.activations(of: loaded, known: known), target: clip.decision, against: nil)
            // Of equal frames only the last digits can differ, with the clips that were scored together.
            guard perClip > 1 || !zip(Scores.mean([explanation.logits]), clip.scores).contains(where: { abs($0 - $1) > 1e-3 }) else {
                throw VidclassError.file(entries[place].path, "the clip has changed since it was evaluated")
            }
            guard configuration.model.input.features == nil else {
                let features = explanation.topFeatures(5).map {
                    "\(configuration.data.featureName($0.feature)) (\(FrameStrip.signed($0.contribution)))"
                }
                remark =
                    "What led to \(evaluation.classes[clip.decision]) most, with what it adds to the raw score: "
                    + features.joined(separator: ", ")
                return ClipExample(place: place, clip: clip.clip, label: clip.label, scores: clip.scores, picture: nil, remark: remark)
            }
            var strip = ExplanationPicture(samples: [.init(clip: loaded, explanation: explanation)], title: "").strip
            (strip.mostFrames, strip.width) = (ReportWriter.mostFrames, 640)
            let canvas = try strip.drawn()
            picture = .success(
                ClipExample.Picture(
                    png: try canvas.png(), width: canvas.width, height: canvas.height,
                    description: "Frames of \(clip.clip) from its beginning to its end, as the model sees them: "
                        + "\(evaluation.classes[clip.label]), classified as \(evaluation.classes[clip.decision]). "
                        + "Below each: which regions led to \(evaluation.classes[clip.decision]), and the frame's share of the decision."))
        } catch {
            picture = .failure(error as? VidclassError ?? VidclassError(.other, "\(error)"))
        }
        return ClipExample(place: place, clip: clip.clip, label: clip.label, scores: clip.scores, picture: picture)
    }
}
