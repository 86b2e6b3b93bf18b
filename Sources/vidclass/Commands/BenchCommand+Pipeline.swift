import ArgumentParser
import VidConfig
import VidData
import VidReport
import VidRun
import VidSystem

struct BenchPipelineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipeline",
        abstract: "A prediction of many videos, as a whole and part by part.",
        usage: "vidclass bench pipeline [<inputs> ...] [--checkpoint <file>] [<options>]",
        discussion: """
            Times the parts by themselves, each with all threads: decode (the wanted frames), convert (scaling and \
            pixels to numbers), encode (the CNN), head (what is behind it) and write (CSV); then all of them as `predict` runs them, where \
            they overlap. The start of the program does not count.

            Without inputs, ffmpeg makes videos of 2 seconds, 320 x 240. Without a checkpoint, the model is that of --config, by default \
            VGG16 with the default head, with random weights.

              vidclass bench pipeline
              vidclass bench pipeline --checkpoint runs/train/weights/best.safetensors
              vidclass bench pipeline --set model.cnn.architecture=efficientnet_lite0
            """)

    @Argument(help: "Videos or other clips, folders of them, or quoted patterns.", completion: .clips)
    var inputs: [String] = []

    @Option(help: ArgumentHelp("A trained model.", valueName: "file"), completion: .checkpoints)
    var checkpoint: String?

    @OptionGroup var configuration: ConfigurationOptions

    @Option(help: ArgumentHelp("Number of videos to make if no inputs are named; by default 100.", valueName: "n"))
    var videos: Int?

    @OptionGroup var options: BenchOptions

    func validate() throws {
        try checkRange("--videos", videos, 1...10_000)
        if videos != nil, !inputs.isEmpty { throw ValidationError("--videos makes videos only if no inputs are named.") }
        if checkpoint != nil, configuration.config != nil || !configuration.overrides.isEmpty {
            throw ValidationError("--checkpoint has a configuration of its own; leave out --config and --set.")
        }
    }

    func run() async throws {
        let saved =
            if let checkpoint { try SavedModel(path: RunChoice.checkpoint(checkpoint)) } else {
                try SavedModel(untrained: configuration.load())
            }
        let workers = try options.threads.makeWorkers()
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let paths =
            inputs.isEmpty
            ? try await SyntheticVideos.write(videos ?? 100, into: folder.path) : try inputs.flatMap { try ClipInputs.clips(at: $0) }
        let file = try PredictionFile(PathText.join(folder.path, "answers.csv"), settings: .null, isKept: false)
        var printer = PredictionPrinter(format: .csv, isLong: false, hasWindows: false, file: file)
        let result = try await PipelineBenchmark.run(saved, paths: paths, workers) { number, outcome in
            if case .prediction(let prediction) = outcome { try printer.add(prediction, clip: paths[number]) }
        }
        try options.report(text(result), document(result))
    }

    private func text(_ result: PipelineBenchmark) -> String {
        let files = Double(result.files)
        func row(_ name: String, _ seconds: Double) -> [String] {
            [name, Formatting.fixed(seconds, 2), Formatting.fixed(seconds / files * 1e3, 2)]
        }
        let rows = [["part", "s", "ms per file"]] + result.parts.map { row($0.part.rawValue, $0.seconds) } + [row("whole", result.whole)]
        return "\(Formatting.count(result.files, "file")) with \(Formatting.count(result.frames, "frame")), "
            + "\(Formatting.count(result.threads, "thread"))\n\n" + Formatting.table(rows, right: [1, 2])
            + "\n"
            + Terminal.paragraph(
                "The whole takes \(Formatting.fixed(result.wholeByLonger, 2)) times the longer of decode and encode, and "
                    + "\(Formatting.fixed(result.wholeBySum, 2)) times the sum of the parts.", indent: 2)
    }

    private func document(_ result: PipelineBenchmark) -> [(String, JSONNode)] {
        [("files", .integer(result.files)), ("frames", .integer(result.frames))]
            + result.parts.map { ("\($0.part.rawValue)_seconds", .number($0.seconds)) }
            + [
                ("whole_seconds", .number(result.whole)), ("whole_by_longer", .number(result.wholeByLonger)),
                ("whole_by_sum", .number(result.wholeBySum)),
            ] + BenchCommand.machine(result.threads)
    }
}
