import ArgumentParser
import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Say what is in a video, sound or clip.",
        usage: "vidclass predict <inputs> ... [--checkpoint <file>] [<options>]",
        discussion: """
            Text says what an input looks like and how far ahead that is of the next class. The scores are the model's own: it \
            may be far ahead and wrong. An input that cannot be read is named on standard error, the others are done, and \
            the command ends with 65.

              vidclass predict holiday.mp4
              vidclass predict clips --top 3 --format csv
              vidclass predict 'clips/**/*.mp4' --format json
              vidclass predict clip.bin --checkpoint runs/train/weights/best.safetensors
              cat holiday.mp4 | vidclass predict -
              vidclass predict match.mp4 --window 4 --stride 2
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, csv
    }

    @Argument(
        help: "Videos, sounds, .bin or .npy clips, folders of them, quoted patterns, or - for one on standard input (at most 4 GiB).",
        completion: .clips)
    var inputs: [String]

    @OptionGroup var model: CheckpointOptions

    @Option(help: ArgumentHelp("How many classes to show for each input, best first.", valueName: "k"))
    var top = 5

    @Option(help: "How to print.")
    var format = Format.text

    @Option(help: ArgumentHelp("Score windows of so many seconds and print a timeline.", valueName: "seconds"))
    var window: Double?

    @Option(help: ArgumentHelp("Seconds from one window's start to the next; by default the window's length.", valueName: "seconds"))
    var stride: Double?

    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        guard top >= 1 else { throw ValidationError("--top takes a number from 1, not \(top).") }
        for (name, value) in [("--window", window), ("--stride", stride)] {
            if let value, !(value > 0 && value.isFinite) {
                throw ValidationError("\(name) takes a number of seconds above 0, not \(value).")
            }
        }
        let piped = inputs.count { $0 == StandardInput.name }
        if piped > 1 { throw ValidationError("- is standard input, which can be read once.") }
        if piped == 1, StandardInput.isTerminal {
            throw ValidationError("- reads a clip from standard input, which is a terminal. Pipe one: cat clip.mp4 | vidclass predict -")
        }
        if stride != nil, window == nil { throw ValidationError("--stride goes with --window SECONDS.") }
    }

    func run() async throws {
        let saved = try model.open()
        let predictor = saved.predictor(threads.makeWorkers())
        let all = try PredictionInputs(inputs)
        let paths = all.inputs.map(\.path)
        var loading = LoadingAhead(paths, views: saved.evaluationViews, loader: saved.loader)
        var printer = PredictionPrinter(format: format, hasWindows: window != nil)
        var failures = all.failures
        let bar = ProgressBar(quiet: paths.count == 1 && window == nil)
        defer { bar.clear() }
        for (index, input) in all.inputs.enumerated() {
            bar.update("predict", done: index, total: paths.count, detail: "\(index)/\(paths.count) inputs")
            do {
                let result: PredictionPrinter.Result
                if let window {
                    let timeline = try await Timeline(
                        input.path, name: input.name, length: window, stride: stride ?? window, saved, predictor, top: top
                    ) {
                        bar.update("predict", done: $0, total: $1, detail: "\($0)/\($1) windows")
                    }
                    result = .timeline(timeline)
                } else {
                    let logits = try await loading.clips(index).map { predictor.logits($0) }
                    result = .whole(
                        Prediction(input: input.name, classes: saved.classifier.classes, scores: Scores.mean(logits), top: top))
                }
                bar.clear()
                try printer.add(result)
            } catch let error as VidclassError where error.kind != .inputOutput || !printer.hasFailed {
                let error = all.renamed(error, of: input)
                guard paths.count + all.failures > 1 else { throw error }
                bar.clear()
                Terminal.note("vidclass: error: \(error.message)")
                failures += 1
            }
        }
        bar.clear()
        try printer.finish()
        if failures > 0 {
            Terminal.note("\(failures) of \(Formatting.count(paths.count + all.failures, "input")) could not be read")
            throw ExitCode(VidclassError.Kind.badData.rawValue)
        }
    }
}

/// Prints what is said of the inputs: text and CSV input by input, JSON as one document at the end.
struct PredictionPrinter {
    /// What is said of an input: of the whole of it, or of its windows.
    enum Result {
        case whole(Prediction)
        case timeline(Timeline)

        var document: JSONNode {
            switch self {
            case .whole(let prediction): prediction.document
            case .timeline(let timeline): timeline.document
            }
        }

        var csv: String {
            switch self {
            case .whole(let prediction): prediction.csv
            case .timeline(let timeline): timeline.csv
            }
        }

        func text(_ style: OutputStyle) -> String {
            switch self {
            case .whole(let prediction): prediction.text(style)
            case .timeline(let timeline): timeline.text(style)
            }
        }
    }

    private let format: PredictCommand.Format
    private let hasWindows: Bool
    private let style = OutputStyle.standardOutput
    private var documents: [JSONNode] = []
    private var isFirst = true
    /// Whether standard output took no more: no fault of an input.
    private(set) var hasFailed = false

    init(format: PredictCommand.Format, hasWindows: Bool) {
        self.format = format
        self.hasWindows = hasWindows
    }

    private var csvHeader: String { hasWindows ? Timeline.csvHeader : Prediction.csvHeader }

    mutating func add(_ result: Result) throws {
        switch format {
        case .json: documents.append(result.document)
        // Names go to programs as they are, to a terminal as `printable`.
        case .csv: try write((isFirst ? csvHeader : "") + (style.columns == nil ? result.csv : result.csv.printableLines))
        case .text: try write((isFirst ? "" : "\n") + result.text(style))
        }
        isFirst = false
    }

    /// Ends the output; where nothing could be said of any input, it is an empty list or table.
    mutating func finish() throws {
        switch format {
        case .json: try write(JSONNode.array(documents).text(pretty: true) + "\n")
        case .csv: if isFirst { try write(csvHeader) }
        case .text: break
        }
    }

    private mutating func write(_ text: String) throws {
        do { try Terminal.output(text) } catch {
            hasFailed = true
            throw error
        }
    }
}

/// The scores of one input, best first.
struct Prediction {
    let input: String
    let ranked: [(label: String, score: Float)]
    /// In words.
    let decision: String

    /// Equal scores keep the order of the classes.
    init(input: String, classes: [String], scores: [Float], top: Int) {
        self.input = input
        let order = scores.indices.sorted { scores[$0] > scores[$1] || (scores[$0] == scores[$1] && $0 < $1) }
        ranked = order.prefix(top).map { (classes[$0], scores[$0]) }
        decision = PredictionText.decision(order.prefix(2).map { (classes[$0], scores[$0]) })
    }

    var document: JSONNode {
        .object([
            ("input", .string(input)),
            ("predictions", ranking),
        ])
    }

    var ranking: JSONNode { .array(ranked.map { .object([("label", .string($0.label)), ("score", .number($0.score))]) }) }

    static let csvHeader = "input,rank,label,score\n"

    var csv: String {
        ranked.enumerated().map { "\(CSVText.field(input)),\($0 + 1),\(CSVText.field($1.label)),\($1.score)\n" }.joined()
    }

    func text(_ style: OutputStyle) -> String {
        PredictionText.text(
            input == StandardInput.name ? StandardInput.shownName : input, ranked: ranked, decision: decision, style: style)
    }
}
