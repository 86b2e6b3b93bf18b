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
            wrong. Each result is printed as soon as its input is done.

              vidclass predict holiday.mp4
              vidclass predict clips --format csv
              vidclass predict clips --format csv --long --top 3
              vidclass predict 'clips/**/*.mp4' --json
              vidclass predict clip.bin --checkpoint runs/train/weights/best.safetensors
              cat holiday.mp4 | vidclass predict -
              find clips -name '*.bin' -print0 | vidclass predict --input-list -
              vidclass predict match.mp4 --window 4 --stride 2
              vidclass predict 'match.mp4#t=2,6'

            A part of a file is named by its times in seconds, as in 'match.mp4#t=2,6', or by its frames, as in \
            'match.mp4#frame=250,500' (the end is not included). Windows lie within it, and have the times of the whole file.

            CSV has one row per input: "input", "label" and "score" of the best class, "second" and "second_score" of the next, \
            "doubtful" (true if the best is less than 0.5 ahead), "unfamiliar" (true if the input looks unlike the training clips; empty \
            if the model cannot tell) and "error". With --window each window has a row, with "start" \
            and "end" in seconds after "input". A name that a spreadsheet would run as a formula gets a leading '. JSON is an array \
            with "input", "predictions" (or "windows"), "unfamiliar" and "distance_percentile" (how many of 100 known clips are \
            nearer to the training clips) of each input, and "error" if it failed; jsonl is the same with one object per line.

            An input that fails is named on standard error and in CSV and JSON; the others are classified, and the command ends \
            with 65. If all inputs fail in the same way, it ends with the code of a single one, such as 66 for missing files.
            """)

    @Argument(
        help:
            "Videos, sounds, folders of numbered pictures, .bin or .npy clips, folders of them, quoted patterns, or - for one on standard input (at most 4 GiB).",
        completion: .clips)
    var inputs: [String] = []

    @Option(
        help: ArgumentHelp(
            "A file of more inputs, one path per line (or NUL-separated); - reads it from standard input.", valueName: "file"),
        completion: .file())
    var inputList: String?

    @OptionGroup var model: CheckpointOptions

    @Option(help: ArgumentHelp("Number of classes to show for each input, best first; by default 5.", valueName: "k"))
    var top: Int?

    @Option(help: "The output format; by default text.")
    var format: PredictionPrinter.Format?

    @OptionGroup var output: JSONOptions

    @Flag(help: "CSV with one row per class of each input (see --top).")
    var long = false

    @Option(help: ArgumentHelp("Score windows of this length and print a timeline.", valueName: "seconds"))
    var window: Double?

    @Option(help: ArgumentHelp("Seconds from one window's start to the next; by default the window's length.", valueName: "seconds"))
    var stride: Double?

    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        if let top, top < 1 { throw ValidationError("--top must be at least 1, not \(top).") }
        for (name, value) in [("--window", window), ("--stride", stride)] {
            if let value, !(value > 0 && value.isFinite) {
                throw ValidationError("\(name) takes a number of seconds above 0, not \(value).")
            }
        }
        if inputs.isEmpty, inputList == nil {
            throw ValidationError("Name at least one input, or a file of them with --input-list FILE.")
        }
        let listsStandardInput = inputList.map(InputList.isStandardInput) ?? false
        let piped = inputs.count { $0 == StandardInput.name } + (listsStandardInput ? 1 : 0)
        if piped > 1 { throw ValidationError("- is standard input, which can be read once.") }
        if piped == 1, StandardInput.isTerminal {
            throw ValidationError(
                listsStandardInput
                    ? "--input-list - reads paths from standard input, which is a terminal. Pipe them: `find clips -print0 | \(ShellText.vidclass("predict", "--input-list", "-"))`"
                    : "- reads a clip from standard input, which is a terminal. Pipe one: `cat clip.mp4 | \(ShellText.vidclass("predict", "-"))`"
            )
        }
        if stride != nil, window == nil { throw ValidationError("--stride goes with --window SECONDS.") }
        if output.json, let format, format != .json { throw ValidationError("--json is --format json; choose one format.") }
        if long, format != .csv { throw ValidationError("--long goes with --format csv.") }
    }

    func run() async throws {
        let saved = try model.open()
        let all = PredictionInputs(inputs, list: try inputList.map { try InputList($0) }, readsStandardInput: true)
        let format = output.json ? .json : format ?? .text
        if format == .csv, !long, top != nil {
            Terminal.note("note: --top changes nothing in CSV with one row per input; for one row per class add --long")
        }
        let count = all.inputs.count
        var predictor = try FilePredictor(saved, paths: all.paths, top: top ?? 5, workers: threads.makeWorkers())
        var printer = PredictionPrinter(format: format, isLong: long, hasWindows: window != nil)
        var failures = InputFailures()
        var done = 0
        let bar = ProgressBar(quiet: count == 1 && window == nil)
        defer { bar.clear() }
        for (index, input) in all.inputs.enumerated() where !printer.isClosed {
            bar.update("predict", done: index, total: count, detail: "\(index)/\(count) inputs")
            done = index + 1
            do {
                let clip = try input.clip.get()
                if let window {
                    let timeline = try await predictor.timeline(clip, input: input.name, length: window, stride: stride ?? window) {
                        bar.update("predict", done: $0, total: $1, detail: "\($0)/\($1) windows")
                    }
                    bar.clear()
                    try printer.add(timeline)
                } else {
                    let prediction = try await predictor.prediction(clip, input: input.name)
                    bar.clear()
                    if let remark = predictor.takeRemark() { Terminal.note(Terminal.fitted("note: \(remark)")) }
                    try printer.add(prediction)
                }
            } catch let error as VidclassError where !printer.hasFailed {
                let error = all.placed(error, of: input)
                bar.clear()
                try printer.prepare()
                failures.add(error)
                try printer.add(error, input: input.name)
            }
        }
        bar.clear()
        try printer.finish()
        try failures.finish(of: done, "could not be classified")
    }
}
