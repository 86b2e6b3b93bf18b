import ArgumentParser
import VidConfig
import VidData
import VidReport
import VidSystem
import VidTensor
import VidTrain

struct EvalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Measure a trained classifier on labelled clips, and write a report of it.",
        usage: "vidclass eval [--checkpoint <file>] [--data <path>] [<options>]",
        discussion: """
            Without --data the run's own held-out part is taken: its test part, or its validation part where it has none. Then \
            the report in the run's folder is written anew. Other clips, another part or another checkpoint have theirs in a \
            new folder, RUN/eval, RUN/eval2, ..., or where --output says.

              vidclass eval
              vidclass eval --checkpoint runs/train/weights/best.safetensors --data other-videos
              vidclass eval --split val --json
              vidclass eval --data other-videos --ignore-unknown-labels --no-report
            """)

    @OptionGroup var model: CheckpointOptions

    @Option(
        help: ArgumentHelp("Folder or CSV of labelled clips; by default the data the model was trained with.", valueName: "path"),
        completion: .file())
    var data: String?

    @Option(help: ArgumentHelp("Which part of the data.", valueName: "name"))
    var split: EvaluatedClips.SplitChoice?

    @Flag(help: "Leave out clips whose label is none of the model's classes, and say how many; they are an error otherwise.")
    var ignoreUnknownLabels = false

    @Option(help: ArgumentHelp("Folder for the report; made if it is not there.", valueName: "folder"))
    var output: String?

    @Flag(help: "Write no report, only print the metrics.")
    var noReport = false

    @OptionGroup var threads: ThreadOptions

    @OptionGroup var features: FeatureCacheOptions

    @Flag(help: "Print one JSON document and nothing else on standard output.")
    var json = false

    func validate() throws {
        if noReport, output != nil { throw ValidationError("--output says where the report goes, --no-report that there is none.") }
    }

    func run() async throws {
        let saved = try model.open()
        let choice = try EvaluatedClips(saved, data: data, split: split, ignoresUnknownLabels: ignoreUnknownLabels)
        for note in choice.notes { Terminal.note("note: \(note)") }
        let clips = LabelledClips(choice.entries, loader: saved.loader, keepingBytes: 0)
        Terminal.note("evaluating \(Formatting.count(clips.count, "clip")) (\(choice.name)) of \(choice.source.printable)")
        let (bar, start) = (ProgressBar(), ContinuousClock.now)
        let workers = threads.makeWorkers()
        let predictor = saved.predictor(workers)
        let inputs = try StepInputs(
            clips, .evaluation(saved.configuration), in: predictor,
            features: FeatureStorage(cache: try features.cache(), keepsInMemory: false))
        let evaluation = try await predictor.evaluate(inputs) { done, total in
            bar.update("evaluate", done: done, total: total, detail: "\(done)/\(total) clips")
        }
        bar.clear()
        guard evaluation.loss.isFinite else {
            throw VidclassError(.nonFinite, "\(saved.path): the loss on these clips is \(evaluation.loss); the model has diverged")
        }
        let metrics = EvaluationMetrics(evaluation)
        try Terminal.output(
            json
                ? EvaluationDocument.document(evaluation, metrics).text(pretty: true) + "\n"
                : EvaluationText.text(evaluation, metrics, width: OutputStyle.standardOutput.columns ?? .max))
        guard !noReport else { return }
        let maker = ReportMaker(
            classifier: saved.classifier, configuration: saved.configuration, checkpoint: saved.path, workers: workers,
            entries: choice.entries, evaluation: evaluation, seconds: (ContinuousClock.now - start).seconds)
        try await report(maker, saved, choice)
    }

    /// Writes the report: into the run's folder where it is the run's own, else into another.
    private func report(_ maker: ReportMaker, _ saved: SavedModel, _ choice: EvaluatedClips) async throws {
        let run = saved.runFolder
        let isRuns = choice.isHeldOutOfRun && saved.isBest && output == nil
        var story = run?.story(saved.configuration)
        if let fault = story?.fault { Terminal.note("note: \(fault)") }
        // Curves and costs belong to the run's own best model.
        if !saved.isBest { story?.record?.bestEpoch = nil }
        let folder: ReportFolder
        if isRuns, let run {
            folder = run.report
        } else if let output {
            try Folder.make(output)
            folder = ReportFolder(path: output)
        } else {
            folder = ReportFolder(
                path: try RunFolder.create(
                    directory: run?.path ?? OutputConfiguration().directory, name: "eval", existOk: false, holdsWeights: false
                ).path)
        }
        let kept = choice.isOfRun ? run.flatMap { DataSummary(readingFrom: $0.dataPath) } : nil
        try await maker.write(
            to: folder,
            ReportMaker.Context(
                title: folder.path, part: choice.part, source: choice.source, unknownClips: choice.unknownClips, story: story,
                data: kept ?? DataSummary(choice.set), command: isRuns ? nil : CommandLine.arguments))
        Terminal.note("report      \(folder.page)")
    }
}

extension SavedModel {
    /// The folder of the run that the checkpoint lies in; nil where it lies elsewhere.
    var runFolder: RunFolder? {
        let weights = PathText.parent(path)
        guard PathText.name(Folder.resolved(weights)) == "weights" else { return nil }
        // As the user wrote it, where that can be cut.
        let run = RunFolder(
            path: PathText.name(weights) == "weights" ? PathText.parent(weights) : PathText.parent(Folder.resolved(weights)))
        return (try? SystemCall.status(run.configPath)) == nil ? nil : run
    }

    /// Whether it is its run's best.
    var isBest: Bool { runFolder.map { PathText.name($0.bestPath) == PathText.name(path) } ?? false }
}
