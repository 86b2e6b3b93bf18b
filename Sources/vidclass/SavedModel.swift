import ArgumentParser
import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// `--checkpoint`: a named one, or the newest run's best.
struct CheckpointOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The model; by default the newest run's best.", valueName: "file"), completion: .checkpoints)
    var checkpoint: String?

    /// Opens the model; says on standard error which one it took when none was named.
    func open() throws -> SavedModel {
        if let checkpoint { return try SavedModel(path: checkpoint) }
        let folder = try RunFolder.newest(in: OutputConfiguration().directory, holding: \.bestPath)
        Terminal.note("using \(folder.bestPath)")
        return try SavedModel(path: folder.bestPath)
    }
}

/// A trained classifier out of a checkpoint, with the configuration it was trained under.
struct SavedModel {
    let path: String
    let configuration: RunConfiguration
    let classifier: Classifier

    init(path: String) throws {
        self.path = path
        let checkpoint = try Checkpoint.open(path)
        configuration = try RunConfiguration(json: checkpoint.config, source: path)
        do {
            classifier = try Classifier(configuration.model, classes: checkpoint.classes, check: checkpoint.requireTensors)
        } catch let error as VidclassError where !error.message.hasPrefix(path.printable) {
            throw VidclassError.file(path, error.message, kind: error.kind)
        }
        try checkpoint.load(into: classifier.parameters)
    }

    var loader: ClipLoader {
        ClipLoader(configuration)
    }

    /// The table of the run's parts, where the checkpoint lies in a run's folder that has one.
    var splitsPath: String? {
        let weights = Folder.resolved(PathText.parent(path))
        let run = RunFolder(path: PathText.parent(weights))
        return (try? SystemCall.status(run.splitsPath)) != nil && PathText.name(weights) == "weights" ? run.splitsPath : nil
    }

    /// The samples of a clip whose scores are averaged (`evaluation.clips`).
    var evaluationViews: [ClipView] {
        let samples = SamplePlan.evaluation(configuration)
        return (0..<(samples.perClip ?? 1)).map { samples.view($0, of: "") }
    }

    func predictor(_ workers: Workers) -> Predictor {
        Predictor(classifier, preprocessing: configuration.data.preprocessing, workers: workers)
    }
}
