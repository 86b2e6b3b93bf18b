import ArgumentParser
import VidCluster
import VidConfig
import VidData
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
              vidclass predict clips --window 4 --stride 2 --bouts --output bouts.csv
              ffmpeg -i rtsp://cam -c copy -f matroska - | vidclass predict - --window 2
              vidclass predict --watch incoming --output answers.csv

            A part of a file is named by its times in seconds, as in 'match.mp4#t=2,6', or by its frames, as in \
            'match.mp4#frame=250,500' (the end is not included). Windows lie within it, and have the times of the whole file.

            CSV has one row per input: "input", "label" and "score" of the best class, "second" and "second_score" of the next, \
            "doubtful" (true if the best is less than 0.5 ahead), "unfamiliar" (true if the input looks unlike the training clips; empty \
            if the model cannot tell) and "error". With --window each window has a row, with "start" \
            and "end" in seconds after "input". A name that a spreadsheet would run as a formula gets a leading '. JSON is an array \
            with "input", "predictions" (or "windows"), "unfamiliar" and "distance_percentile" (how many of 100 known clips are \
            nearer to the training clips) of each input, and "error" if it failed; jsonl is the same with one object per line.

            --bouts merges windows: at each moment the class with the highest mean score in the windows around it counts, if that is \
            at least --threshold. CSV then has one row per bout: "video", "label", "start", "end" and "score"; text also has the seconds \
            of each label, and JSON has "bouts" and "seconds" besides "windows".

            With --window, a video on standard input is decoded while it comes, and each window is printed when it has ended (jsonl: one \
            object per window). Ctrl-C finishes the line. An MP4 needs fragments or its index first; anything else is read to its end first.

            --watch FOLDER classifies the clips in and below a folder, then those that come, each when it has not changed for --settle \
            seconds, and appends to the CSV of --output. Repeat the command after a stop: that table tells what is done.

            --output FILE appears when it is complete. If the command is stopped, repeat it: the finished inputs are in FILE.partial, \
            and the others follow.

            An input that fails is named on standard error and in CSV and JSON; the others are classified, and the command ends \
            with 65. If all inputs fail in the same way, it ends with the code of a single one, such as 66 for missing files.
            """)

    @Argument(
        help:
            "Videos, sounds, folders of numbered pictures, .bin or .npy clips, folders of them, quoted patterns, or - for one on standard input (at most 4 GiB, but for live video).",
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

    @Flag(help: "Merge windows of the same class into bouts (see --window).")
    var bouts = false

    @Option(help: ArgumentHelp("The lowest mean score of a bout's class, from 0 to 1; by default 0.5.", valueName: "score"))
    var threshold: Double?

    @Option(help: ArgumentHelp("Leave out bouts that are shorter; by default 0.", valueName: "seconds"))
    var minSeconds: Double?

    @Option(
        name: .customLong("output"),
        help: ArgumentHelp("Write CSV or JSON to this file; its extension tells which, unless --format does.", valueName: "file"),
        completion: .file(extensions: ["csv", "json", "jsonl"]))
    var outputPath: String?

    @Option(
        name: .customLong("watch"),
        help: ArgumentHelp("Predict the clips that come into this folder, until Ctrl-C; --output names the CSV.", valueName: "folder"),
        completion: .directory)
    var watchedFolder: String?

    @Option(
        help: ArgumentHelp("How long a clip must stay unchanged to count as whole (see --watch); by default 5.", valueName: "seconds"))
    var settle: Double?

    @OptionGroup var threads: ThreadOptions

    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        if let top, top < 1 { throw ValidationError("--top must be at least 1, not \(top).") }
        for (name, value) in [("--window", window), ("--stride", stride)] {
            if let value, !(value > 0 && value.isFinite) {
                throw ValidationError("\(name) takes a number of seconds above 0, not \(value).")
            }
        }
        try validateWatching()
        if inputs.isEmpty, inputList == nil, watchedFolder == nil {
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
        if bouts, window == nil { throw ValidationError("--bouts goes with --window SECONDS.") }
        if !bouts, threshold != nil || minSeconds != nil { throw ValidationError("--threshold and --min-seconds go with --bouts.") }
        if let threshold, !(0...1).contains(threshold) {
            throw ValidationError("--threshold takes a score from 0 to 1, not \(threshold).")
        }
        if let minSeconds, !(minSeconds >= 0 && minSeconds.isFinite) {
            throw ValidationError("--min-seconds takes a number of seconds of at least 0, not \(minSeconds).")
        }
        if bouts, long { throw ValidationError("--long and --bouts exclude each other.") }
        if outputPath != nil, chosenFormat == .text {
            throw ValidationError("--output writes CSV or JSON: name a .csv, .json or .jsonl file, or add --format.")
        }
        if output.json, let format, format != .json { throw ValidationError("--json is --format json; choose one format.") }
        if long, chosenFormat != .csv { throw ValidationError("--long goes with --format csv.") }
    }

    /// The format that the options name, or the extension of the output; text without either.
    var chosenFormat: PredictionPrinter.Format {
        if output.json { return .json }
        return format ?? outputPath.flatMap { PredictionPrinter.Format(rawValue: PathText.fileExtension($0)) } ?? .text
    }

    /// How bouts are made; nil without them.
    var boutChoice: PredictionPrinter.BoutChoice? {
        bouts ? PredictionPrinter.BoutChoice(threshold: threshold ?? 0.5, minimumSeconds: minSeconds ?? 0) : nil
    }

    /// The windows of long inputs; nil for whole inputs.
    var windowChoice: WindowChoice? { window.map { WindowChoice(length: $0, stride: stride ?? $0) } }

    func run() async throws { try await cluster.run(threads, nil, lead: predict) }

    private func predict(in cluster: any Cluster) async throws {
        // A reader starts while the model is read.
        if let first = inputs.first, [.video, .sound].contains(ClipFormat(name: ClipPath.file(first))) { Readers.shared.prepare() }
        let saved = try model.open()
        let format = chosenFormat
        if format == .csv, !long, top != nil {
            Terminal.note(Terminal.fitted("note: --top changes nothing in CSV with one row per input; for one row per class add --long"))
        }
        if let watchedFolder { return try await watch(watchedFolder, saved, cluster) }
        let head = mayFollow && !cluster.isShared ? try? StandardInput.head() : nil
        if let head, FileContent.canBeFollowed(head) { return try await follow(head, saved) }
        let all = PredictionInputs(inputs, list: try inputList.map { try InputList($0) }, readsStandardInput: true, head: head)
        let file = try outputPath.map { try PredictionFile($0, settings: settings(saved, format)) }
        let kept = all.inputs.map { input in
            (try? input.clip.get()).flatMap { file?.result(of: input.name, at: all.paths[$0]) }
        }
        let done = kept.count { $0 != nil }
        if done > 0 {
            Terminal.note(
                Terminal.fitted(
                    "resuming: \(done) of \(Formatting.count(kept.count, "input")) \(done == 1 ? "was" : "were") finished before"))
        }
        let left = zip(all.inputs, kept).compactMap { input, kept in kept == nil ? try? input.clip.get() : nil }
        let predictor = try FilePredictor(
            saved, paths: left.map { all.paths[$0] }, windows: windowChoice, top: top ?? 5, in: cluster, threads.makeWorkers())
        let printer = PredictionPrinter(format: format, isLong: long, hasWindows: window != nil, bouts: boutChoice, file: file)
        try await predict(all, kept: kept, predictor, printer)
    }

    /// Nobody reads the results any more.
    private struct Closed: Error {}

    private func predict(
        _ all: PredictionInputs, kept: [String?], _ predictor: FilePredictor, _ printer: PredictionPrinter
    ) async throws {
        var (predictor, printer, failures) = (predictor, printer, InputFailures())
        let count = all.inputs.count
        /// The inputs that the predictor scores, in their order.
        let scored = all.inputs.indices.filter { kept[$0] == nil && (try? all.inputs[$0].clip.get()) != nil }
        var done = 0
        let bar = ProgressBar(quiet: count == 1 && window == nil)
        defer { bar.clear() }
        func fail(_ error: VidclassError) throws {
            let error = all.placed(error, of: all.inputs[done])
            try printer.prepare()
            failures.add(error)
            try printer.add(error, input: all.inputs[done].name)
        }
        /// Prints the inputs before `end` that need no scoring.
        func printOthers(before end: Int) throws {
            while done < end {
                if printer.isClosed { throw Closed() }
                defer { done += 1 }
                if let result = kept[done] {
                    try printer.add(kept: result)
                } else if case .failure(let error) = all.inputs[done].clip {
                    bar.clear()
                    try fail(error)
                }
            }
        }
        do {
            bar.update("predict", done: 0, total: count, detail: "0/\(count) inputs")
            try await predictor.run(names: scored.map { all.inputs[$0].name }) {
                bar.update("predict", done: $0, total: $1, detail: "\($0)/\($1) windows")
            } each: { number, outcome, remark in
                try printOthers(before: scored[number])
                if printer.isClosed { throw Closed() }
                let input = all.inputs[done]
                let source = input.name == StandardInput.name ? nil : all.paths[try input.clip.get()]
                bar.clear()
                if let remark { Terminal.note(Terminal.fitted("note: \(remark)")) }
                switch outcome {
                case .prediction(let prediction): try printer.add(prediction, clip: source)
                case .timeline(let timeline): try printer.add(timeline, clip: source)
                case .failure(let error): try fail(error)
                }
                done += 1
                bar.update("predict", done: done, total: count, detail: "\(done)/\(count) inputs")
            }
            try printOthers(before: count)
        } catch is Closed {}
        bar.clear()
        try printer.finish()
        try failures.finish(of: done, "could not be classified")
    }

    /// Everything that a result depends on besides its input.
    private func settings(_ saved: SavedModel, _ format: PredictionPrinter.Format) -> JSONNode {
        .object([("version", .string(Program.version))] + options(saved, format))
    }

    /// The same without the program's version.
    func options(_ saved: SavedModel, _ format: PredictionPrinter.Format) -> [(String, JSONNode)] {
        return [
            ("model", .string(saved.checksum)), ("format", .string(format.rawValue)),
            ("frame_folder_fps", .number(ifAny: saved.configuration.data.frameFolderRate)), ("long", .bool(long)),
            ("top", .integer(top ?? 5)),
            ("window", .number(ifAny: window)), ("stride", .number(ifAny: stride ?? window)),
            ("bouts", .bool(bouts)), ("threshold", .number(ifAny: bouts ? threshold ?? 0.5 : nil)),
            ("min_seconds", .number(ifAny: bouts ? minSeconds ?? 0 : nil)),
        ]
    }
}
