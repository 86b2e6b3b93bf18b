import ArgumentParser
import VidCluster
import VidConfig
import VidReport
import VidRun
import VidSystem
import VidTrain

extension EvaluatedClips.SplitChoice: ExpressibleByArgument {}

struct EvalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Evaluate a trained classifier on labelled clips, and write a report.",
        usage: "vidclass eval [--checkpoint <file>] [--data <path>] [<options>]",
        discussion: """
            Without --data the run's own held-out clips are used: its test split, or its validation split if it has no test split. \
            This also rewrites the report in the run's folder. Reports on other clips, another split or another checkpoint go to a \
            new folder, RUN/eval, RUN/eval2, ..., or to --output.

              vidclass eval
              vidclass eval --checkpoint runs/train/weights/best.safetensors --data clips
              vidclass eval --split val --json
              vidclass eval --data other-videos --ignore-unknown-labels --no-report
            """)

    @OptionGroup var model: CheckpointOptions

    @Option(
        help: ArgumentHelp("Folder, table or list of labelled clips; by default the data the model was trained with.", valueName: "path"),
        completion: .file())
    var data: String?

    @OptionGroup var media: MediaOptions

    @Option(help: ArgumentHelp("The split to evaluate.", valueName: "name"))
    var split: EvaluatedClips.SplitChoice?

    @Flag(help: "Leave out clips with labels that the model doesn't know, and count them; they are an error otherwise.")
    var ignoreUnknownLabels = false

    @Option(name: .customLong("output"), help: ArgumentHelp("Folder for the report; made if needed.", valueName: "folder"))
    var folder: String?

    @Flag(help: "Print the metrics and write no report.")
    var noReport = false

    @OptionGroup var threads: ThreadOptions

    @OptionGroup var features: FeatureCacheOptions

    @OptionGroup var cluster: ClusterOptions

    @OptionGroup var output: JSONOptions

    func validate() throws {
        if noReport, folder != nil { throw ValidationError("--output names the report's folder, but --no-report asks for no report.") }
    }

    func run() async throws { try await cluster.run(threads, features, lead: evaluate) }

    private func evaluate(in cluster: any Cluster) async throws {
        if let folder { try ReportFolder.check(folder) }
        let saved = try model.open()
        let clips = try EvaluatedClips(saved, data: data, media: media.folder, split: split, ignoresUnknownLabels: ignoreUnknownLabels)
        for note in clips.notes { Terminal.note(Terminal.fitted("note: \(note)")) }
        Terminal.note(
            Terminal.fitted(
                "evaluating \(Formatting.count(clips.entries.count, "clip")) (\(clips.name)) of \(clips.source.printable)"))
        let display = RunDisplay()
        defer { display.clear() }
        let runtime = try Runtime(threads.makeWorkers(), cluster: cluster, cache: try features.cache(), display: display)
        let result = try await ModelEvaluation(saved, on: clips, in: runtime)
        display.clear()
        try output.print(
            EvaluationText.text(result.evaluation, result.metrics, width: OutputStyle.standardOutput.columns ?? .max),
            EvaluationDocument.document(result.evaluation, result.metrics))
        if !noReport { Terminal.note("report      \(try await result.writeReport(to: folder).page)") }
    }
}
