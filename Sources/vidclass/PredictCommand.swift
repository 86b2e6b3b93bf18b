import ArgumentParser
import VidConfig
import VidData
import VidModel
import VidReport
import VidTensor
import VidTrain

struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Say what is in a video, sound or clip.",
        discussion: """
              vidclass predict holiday.mp4
              vidclass predict clips/*.mp4 --top 3 --format csv
              vidclass predict clip.bin --checkpoint runs/train/weights/best.safetensors --format json
              vidclass predict match.mp4 --window 4 --stride 2
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, csv
    }

    @Argument(help: "Videos, sounds, .bin or .npy clips, or folders of them.")
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
        if stride != nil, window == nil { throw ValidationError("--stride goes with --window SECONDS.") }
    }

    func run() async throws {
        let saved = try model.open()
        let predictor = saved.predictor(threads.makeWorkers())
        let loader = saved.loader
        var results: [Result] = []
        var failures = 0
        var unresolved = 0
        var paths: [String] = []
        for input in inputs {
            do {
                paths += try ClipInputs.clips(at: input)
            } catch let error as VidclassError where inputs.count > 1 {
                Terminal.note("vidclass: error: \(error.message)")
                unresolved += 1
            }
        }
        let source = ClipSource(paths: paths, loader: loader, keepingBytes: 0)
        let bar = ProgressBar(quiet: paths.count == 1 && window == nil)
        for (index, path) in paths.enumerated() {
            bar.update("predict", done: index, total: paths.count, detail: "\(index)/\(paths.count) inputs")
            do {
                if let window {
                    let timeline = try await Timeline(path, length: window, stride: stride ?? window, saved, predictor, top: top) {
                        bar.update("predict", done: $0, total: $1, detail: "\($0)/\($1) windows")
                    }
                    results.append(.timeline(timeline))
                    continue
                }
                await source.prefetch((index..<min(paths.count, index + ClipSource.ahead)).flatMap { saved.draws(clip: $0) })
                let logits = try await source.clips(saved.draws(clip: index)).map { predictor.logits($0) }
                results.append(
                    .whole(Prediction(input: path, classes: saved.classifier.classes, scores: Scores.mean(logits), top: top)))
            } catch let error as VidclassError where inputs.count > 1 || paths.count > 1 {
                bar.clear()
                Terminal.note("vidclass: error: \(error.message)")
                failures += 1
            }
        }
        bar.clear()
        try Terminal.output(text(results))
        if failures + unresolved > 0 {
            Terminal.note("\(failures + unresolved) of \(paths.count + unresolved) inputs could not be read")
            throw ExitCode(VidclassError.Kind.badData.rawValue)
        }
    }

    /// What is said of an input: of the whole of it, or of its windows.
    private enum Result {
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

        var text: String {
            switch self {
            case .whole(let prediction): prediction.text
            case .timeline(let timeline): timeline.text
            }
        }
    }

    private func text(_ results: [Result]) -> String {
        switch format {
        case .json: JSONNode.array(results.map(\.document)).text(pretty: true) + "\n"
        case .csv: (window == nil ? Prediction.csvHeader : Timeline.csvHeader) + results.map(\.csv).joined()
        case .text: results.map(\.text).joined(separator: "\n")
        }
    }
}

/// The scores of one input, best first.
struct Prediction {
    let input: String
    let ranked: [(label: String, score: Float)]

    /// Equal scores keep the order of the classes.
    init(input: String, classes: [String], scores: [Float], top: Int) {
        self.input = input
        let order = scores.indices.sorted { scores[$0] > scores[$1] || (scores[$0] == scores[$1] && $0 < $1) }
        ranked = order.prefix(top).map { (classes[$0], scores[$0]) }
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

    var text: String {
        var rows: [[String]] = []
        for entry in ranked {
            let cells = Int((entry.score * 20).rounded())
            rows.append([entry.label, Formatting.fixed(Double(entry.score) * 100, 1) + " %", String(repeating: "█", count: cells)])
        }
        return input.printable + "\n" + Formatting.table(rows, right: [1])
    }
}
