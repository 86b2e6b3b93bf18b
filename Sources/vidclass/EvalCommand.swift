import ArgumentParser
import VidConfig
import VidData
import VidModel
import VidReport
import VidTensor
import VidTrain

struct EvalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Measure a trained classifier on labelled clips.",
        usage: "vidclass eval [--checkpoint <file>] [--data <path>] [<options>]",
        discussion: """
            Without --data the run's own held-out part is taken: its test part, or its validation part where it has none.

              vidclass eval
              vidclass eval --checkpoint runs/train/weights/best.safetensors --data other-videos
              vidclass eval --split val --json
            """)

    enum Split: String, ExpressibleByArgument, CaseIterable {
        case train, val, test, all
    }

    @OptionGroup var model: CheckpointOptions

    @Option(
        help: ArgumentHelp("Folder or CSV of labelled clips; by default the data the model was trained with.", valueName: "path"),
        completion: .file())
    var data: String?

    @Option(help: ArgumentHelp("Which part of the data.", valueName: "name"))
    var split: Split?

    @OptionGroup var threads: ThreadOptions

    @OptionGroup var features: FeatureCacheOptions

    @Flag(help: "Print one JSON document and nothing else on standard output.")
    var json = false

    func run() async throws {
        let saved = try model.open()
        let (part, entries, source) = try clips(of: saved)
        let clips = LabelledClips(entries, loader: saved.loader, keepingBytes: 0)
        Terminal.note("evaluating \(Formatting.count(clips.count, "clip")) (\(part)) of \(source)")
        let bar = ProgressBar()
        let predictor = saved.predictor(threads.makeWorkers())
        let inputs = StepInputs(
            clips, .evaluation(saved.configuration), in: predictor,
            features: FeatureKeeping(cache: try features.cache(), keepsInMemory: false))
        let evaluation = try await predictor.evaluate(inputs) { done, total in
            bar.update("evaluate", done: done, total: total, detail: "\(done)/\(total) clips")
        }
        bar.clear()
        guard evaluation.loss.isFinite else {
            throw VidclassError(.nonFinite, "\(saved.path): the loss on these clips is \(evaluation.loss); the model has diverged")
        }
        try Terminal.output(json ? EvalCommand.document(evaluation).text(pretty: true) + "\n" : EvaluationText.text(evaluation))
    }

    /// The clips to evaluate, labelled by the checkpoint's classes.
    private func clips(of saved: SavedModel) throws -> (part: String, [DataSet.Entry], source: String) {
        let trainedOn = saved.configuration.data
        let path = data ?? trainedOn.path
        let isOther = Folder.resolved(path) != Folder.resolved(trainedOn.path)
        let set: DataSet
        if !isOther, let splits = saved.splitsPath {
            set = try SplitsFile.read(splits, data: path, classes: saved.classifier.classes)
        } else {
            if !isOther {
                Terminal.note("note: \(saved.path.printable) lies in no run's folder with a splits.csv; the parts are made anew")
            }
            // Other data has nothing held out of it; parts of its own, where it names them, are there to be chosen.
            let options = isOther ? .none : trainedOn.splitOptions(seed: saved.configuration.seed)
            set = try DataSet.open(path, split: options, classes: saved.classifier.classes)
        }
        let (name, entries) = try choose(from: set, isOther: isOther)
        guard !entries.isEmpty else { throw VidclassError(.badData, "\(path): the part \(name) has no clips") }
        return (name, entries, path)
    }

    private func choose(from set: DataSet, isOther: Bool) throws -> (String, [DataSet.Entry]) {
        if let split {
            return (split.rawValue, split == .all ? set.entries : set.entries(of: DataPart(name: split.rawValue) ?? .train))
        }
        for part in [DataPart.test, .validation] where !set.entries(of: part).isEmpty {
            return (part.rawValue, set.entries(of: part))
        }
        guard isOther else {
            throw VidclassError(
                .badData,
                "\(set.path): no clips were held out of this training. Name others with --data PATH, or take the training clips with --split train."
            )
        }
        return ("all", set.entries)
    }

    /// The document of `--json`.
    static func document(_ evaluation: Evaluation) -> JSONNode {
        .object([
            ("loss", .number(evaluation.loss)),
            ("categorical_accuracy", .number(evaluation.accuracy)),
            ("top_5_accuracy", .number(evaluation.topAccuracy(5))),
            ("clips", .integer(evaluation.clips.count)),
            (
                "classes",
                .array(
                    evaluation.perClass.map {
                        .object([
                            ("label", .string($0.label)), ("support", .integer($0.support)), ("precision", .number($0.precision)),
                            ("recall", .number($0.recall)), ("f1", .number($0.f1)),
                        ])
                    })
            ),
            ("confusion_matrix", .array(evaluation.confusion.map { .array($0.map { .integer($0) }) })),
        ])
    }
}
