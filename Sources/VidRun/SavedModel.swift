import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor
import VidTrain

/// A trained classifier from a checkpoint, with the configuration it was trained with.
package struct SavedModel {
    package let path: String
    package let configuration: RunConfiguration
    package let classifier: Classifier
    /// SHA-256 of the file, in hexadecimal digits.
    package let checksum: String
    /// `DataSet.digest` of the clips and splits of the training; nil if an earlier version wrote the checkpoint.
    let splitsDigest: String?
    /// Recognises unfamiliar clips; nil if the checkpoint has no data for it.
    let familiarity: Familiarity?

    /// - Parameter frameFolderRate: of clips that are folders of pictures; nil for the configuration's.
    /// - Throws: `.missingInput` or `.badData` if the checkpoint is missing or damaged.
    package init(path: String, frameFolderRate: Double? = nil) throws {
        self.path = path
        let (checkpoint, model) = try Checkpoint.open(path) { checkpoint in
            let model = try SavedModel.model(checkpoint)
            return (model, model.classifier.parameters)
        }
        var configuration = model.configuration
        if let frameFolderRate { configuration.data.frameFolderRate = frameFolderRate }
        self.configuration = configuration
        splitsDigest = checkpoint.splits
        checksum = checkpoint.checksum
        classifier = model.classifier
        familiarity = model.familiarity
    }

    /// A model with random weights and ten classes, for measurements.
    ///
    /// - Throws: `.badData` if it does not fit into memory.
    package init(untrained configuration: RunConfiguration) throws {
        path = "the untrained model"
        self.configuration = configuration
        classifier = try Classifier(configuration.model, classes: (0..<10).map { "class \($0)" })
        try classifier.initialize(seed: configuration.seed)
        (checksum, splitsDigest, familiarity) = ("", nil, nil)
    }

    /// The model of a checkpoint, whose weights are loaded later.
    private static func model(
        _ checkpoint: Checkpoint
    ) throws -> (configuration: RunConfiguration, classifier: Classifier, familiarity: Familiarity?) {
        let path = checkpoint.path
        let configuration = try RunConfiguration(json: checkpoint.config, source: path)
        let classifier: Classifier
        do {
            classifier = try Classifier(configuration.model, classes: checkpoint.classes, check: checkpoint.requireTensors)
        } catch let error as VidclassError where !error.message.hasPrefix(path.printable) {
            throw VidclassError.file(path, error.message, kind: error.kind)
        }
        return (configuration, classifier, try Familiarity(checkpoint, dimensions: classifier.meanFeatureCount))
    }

    package var loader: ClipLoader { ClipLoader(configuration) }

    /// The folder of the run that the checkpoint is in; nil if it is elsewhere.
    package var runFolder: RunFolder? {
        let weights = PathText.parent(path)
        guard PathText.name(Folder.resolved(weights)) == "weights" else { return nil }
        // In the user's own words, if the path has a parent to name.
        let run = RunFolder(
            path: PathText.name(weights) == "weights" ? PathText.parent(weights) : PathText.parent(Folder.resolved(weights)))
        return (try? SystemCall.status(run.configPath)) == nil ? nil : run
    }

    /// Whether the checkpoint is its run's best.
    var isBest: Bool { runFolder.map { PathText.name($0.bestPath) == PathText.name(path) } ?? false }

    /// The table of the run's splits, if the checkpoint is in a run's folder that has one.
    var splitsPath: String? {
        let weights = Folder.resolved(PathText.parent(path))
        let run = RunFolder(path: PathText.parent(weights))
        return (try? SystemCall.status(run.splitsPath)) != nil && PathText.name(weights) == "weights" ? run.splitsPath : nil
    }

    /// The views of a clip whose scores are averaged (`evaluation.clips`).
    package var evaluationViews: [ClipView] {
        let samples = SamplePlan.evaluation(configuration)
        return (0..<(samples.perClip ?? 1)).map { samples.view($0, of: "") }
    }

    /// A predictor, all of whose memory is found before it runs.
    ///
    /// - Parameter loadedClips: clips that are in memory together.
    /// - Throws: `.badData` where the model's input does not fit into memory, `.other` if memory runs out.
    package func predictor(for purpose: PredictionMemory.Purpose, loadedClips: Int, _ workers: Workers) throws -> Predictor {
        try Predictor(
            classifier, preprocessing: configuration.data.preprocessing, for: purpose, loadedClips: loadedClips, workers: workers,
            source: path)
    }

    /// - Throws: `.badData` if a score of the clip at `input` is NaN or infinite: there is no answer then.
    package func requireFinite(_ scores: [Float], of input: String) throws {
        // guard: finite-scores
        guard scores.allSatisfy(\.isFinite) else {
            throw VidclassError.file(
                input,
                "the scores that \(path.printable) gives it are not finite numbers, so there is no answer. The clip has extreme values, or "
                    + "the model has diverged: name another with --checkpoint")
        }
    }

    /// The position of a class.
    ///
    /// - Parameter option: the option that names it, for the error.
    /// - Throws: `.usage` if the model doesn't know the class.
    package func classNumber(_ label: String, option: String) throws -> Int {
        if let number = classifier.classes.firstIndex(of: label) { return number }
        let known = classifier.classes.map(\.printable)
        let shown = known.prefix(40).joined(separator: ", ") + (known.count > 40 ? ", ... (\(known.count) in total)" : "")
        throw VidclassError(.usage, "\(option): the model doesn't know the class \"\(label.printable)\"; it knows \(shown)")
    }
}
