import ArgumentParser
import VidReport
import VidRun
import VidSystem

struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Classify videos, sounds or clips.",
        usage: "vidclass predict <inputs> ... [--checkpoint <file>] [<options>]",
        discussion: """
            Scores every class and, as text, tells how clear the decision is. The scores are the model's own: it may be sure and \
            wrong. An unreadable input is named on standard error; the others are classified, and the command ends with 65.

              vidclass predict holiday.mp4
              vidclass predict clips --top 3 --format csv
              vidclass predict 'clips/**/*.mp4' --format json
              vidclass predict clip.bin --checkpoint runs/train/weights/best.safetensors
              cat holiday.mp4 | vidclass predict -
              vidclass predict match.mp4 --window 4 --stride 2
            """)

    @Argument(
        help: "Videos, sounds, .bin or .npy clips, folders of them, quoted patterns, or - for one on standard input (at most 4 GiB).",
        completion: .clips)
    var inputs: [String]

    @OptionGroup var model: CheckpointOptions

    @Option(help: ArgumentHelp("Number of classes to show for each input, best first.", valueName: "k"))
    var top = 5

    @Option(help: "The output format.")
    var format = PredictionPrinter.Format.text

    @Option(help: ArgumentHelp("Score windows of this length and print a timeline.", valueName: "seconds"))
    var window: Double?

    @Option(help: ArgumentHelp("Seconds from one window's start to the next; by default the window's length.", valueName: "seconds"))
    var stride: Double?

    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        guard top >= 1 else { throw ValidationError("--top must be at least 1, not \(top).") }
        for (name, value) in [("--window", window), ("--stride", stride)] {
            if let value, !(value > 0 && value.isFinite) {
                throw ValidationError("\(name) takes a number of seconds above 0, not \(value).")
            }
        }
        let piped = inputs.count { $0 == StandardInput.name }
        if piped > 1 { throw ValidationError("- is standard input, which can be read once.") }
        if piped == 1, StandardInput.isTerminal {
            throw ValidationError(
                "- reads a clip from standard input, which is a terminal. Pipe one: `cat clip.mp4 | \(ShellText.vidclass("predict", "-"))`."
            )
        }
        if stride != nil, window == nil { throw ValidationError("--stride goes with --window SECONDS.") }
    }

    func run() async throws {
        let saved = try model.open()
        let all = try PredictionInputs(inputs)
        let count = all.inputs.count
        var predictor = FilePredictor(saved, paths: all.inputs.map(\.path), top: top, workers: threads.makeWorkers())
        var printer = PredictionPrinter(format: format, hasWindows: window != nil)
        var failures = all.failures
        let bar = ProgressBar(quiet: count == 1 && window == nil)
        defer { bar.clear() }
        for (index, input) in all.inputs.enumerated() {
            bar.update("predict", done: index, total: count, detail: "\(index)/\(count) inputs")
            do {
                if let window {
                    let timeline = try await predictor.timeline(index, input: input.name, length: window, stride: stride ?? window) {
                        bar.update("predict", done: $0, total: $1, detail: "\($0)/\($1) windows")
                    }
                    bar.clear()
                    try printer.add(timeline)
                } else {
                    let prediction = try await predictor.prediction(index, input: input.name)
                    bar.clear()
                    try printer.add(prediction)
                }
            } catch let error as VidclassError where error.kind != .inputOutput || !printer.hasFailed {
                let error = all.renamed(error, of: input)
                guard count + all.failures > 1 else { throw error }
                bar.clear()
                Terminal.note("vidclass: error: \(error.message)")
                failures += 1
            }
        }
        bar.clear()
        try printer.finish()
        if failures > 0 {
            Terminal.note("\(failures) of \(Formatting.count(count + all.failures, "input")) could not be read")
            throw ExitCode(VidclassError.Kind.badData.rawValue)
        }
    }
}
