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

    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        guard top >= 1 else { throw ValidationError("--top takes a number from 1, not \(top).") }
    }

    func run() async throws {
        let saved = try model.open()
        let predictor = saved.predictor(threads.makeWorkers())
        let loader = saved.loader
        var predictions: [Prediction] = []
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
        let bar = ProgressBar(quiet: paths.count == 1)
        for (index, path) in paths.enumerated() {
            bar.update("predict", done: index, total: paths.count, detail: "\(index)/\(paths.count) inputs")
            do {
                await source.prefetch((index..<min(paths.count, index + ClipSource.ahead)).flatMap { saved.draws(clip: $0) })
                let logits = try await source.clips(saved.draws(clip: index)).map { predictor.logits($0) }
                predictions.append(Prediction(input: path, classes: saved.classifier.classes, scores: Scores.mean(logits), top: top))
            } catch let error as VidclassError where inputs.count > 1 || paths.count > 1 {
                bar.clear()
                Terminal.note("vidclass: error: \(error.message)")
                failures += 1
            }
        }
        bar.clear()
        try Terminal.output(text(predictions))
        if failures + unresolved > 0 {
            Terminal.note("\(failures + unresolved) of \(paths.count + unresolved) inputs could not be read")
            throw ExitCode(VidclassError.Kind.badData.rawValue)
        }
    }

    private func text(_ predictions: [Prediction]) -> String {
        switch format {
        case .json: JSONNode.array(predictions.map(\.document)).text(pretty: true) + "\n"
        case .csv: Prediction.csvHeader + predictions.map(\.csv).joined()
        case .text: predictions.map(\.text).joined(separator: "\n")
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
            ("predictions", .array(ranked.map { .object([("label", .string($0.label)), ("score", .number($0.score))]) })),
        ])
    }

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
