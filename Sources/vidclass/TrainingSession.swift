import Foundation
import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidReport
import VidTensor
import VidTrain

/// A training put together: configuration, data, model, weights, the run's folder; new or resumed.
final class TrainingSession {
    let configuration: RunConfiguration
    let folder: RunFolder
    let trainer: Trainer
    let startupReport: StartupReport
    let results: ResultsFile
    private let lock: RunLock
    private let configurationText: String

    private init(
        configuration: RunConfiguration, folder: RunFolder, lock: RunLock, trainer: Trainer, startupReport: StartupReport,
        results: ResultsFile
    ) {
        self.configuration = configuration
        self.folder = folder
        self.lock = lock
        self.trainer = trainer
        self.startupReport = startupReport
        self.results = results
        configurationText = configuration.text
    }

    static func prepare(_ command: TrainCommand) async throws -> TrainingSession {
        if let run = command.resume {
            let folder = run.isEmpty ? try RunFolder.newest(in: OutputConfiguration().directory, holding: \.lastPath) : RunFolder(path: run)
            if run.isEmpty { Terminal.note("resuming \(folder.path)") }
            guard FileManager.default.fileExists(atPath: folder.configPath) else {
                throw VidclassError.file(
                    folder.path, "no run to resume here; expected a run's folder such as runs/train, with config.json and weights in it",
                    kind: .missingInput)
            }
            let configuration = try RunConfiguration.load(path: folder.configPath, overrides: command.overrides)
            let checkpoint = try Checkpoint.open(folder.lastPath)
            try ResumeRules.check(configuration, against: checkpoint)
            return try assemble(configuration, command, folder: folder, checkpoint: checkpoint)
        }
        let configuration = try RunConfiguration.load(path: command.config ?? "", overrides: command.overrides)
        return try assemble(configuration, command, folder: nil, checkpoint: nil)
    }

    private static func assemble(
        _ configuration: RunConfiguration, _ command: TrainCommand, folder existing: RunFolder?, checkpoint: Checkpoint?
    ) throws -> TrainingSession {
        let workers = command.threads.makeWorkers()
        let data = try DataSet.open(
            configuration.data.path, split: configuration.data.splitOptions(seed: configuration.seed), classes: checkpoint?.classes)
        for note in data.findings.notes + [data.otherFilesSummary].compactMap(\.self) { Terminal.note("note: \(note)") }
        let classifier = try Classifier(configuration.model, classes: data.classes)
        let optimizer = makeOptimizer(configuration.optimizer, classifier.parameters)
        var state = TrainerState(seed: configuration.seed)
        if let checkpoint {
            state = try TrainerState(checkpoint, classifier.parameters, optimizer)
            guard state.data == data.digest else {
                throw VidclassError.file(
                    configuration.data.path,
                    "the clips or their parts are not those this run was trained on; put them back, or start a new training")
            }
        } else {
            state.data = data.digest
            try classifier.initialize(seed: configuration.seed)
            try PretrainedWeights.load(configuration, into: classifier)
        }
        let plan = try MemoryPlan(
            classifier, slots: optimizer.slots.count, configuration, clips: data.entries.count, threads: workers.count)
        let loader = ClipLoader(input: configuration.model.input, data: configuration.data, augmentation: configuration.augmentation)
        func clips(_ part: DataPart) -> LabelledClips {
            let entries = data.entries(of: part)
            let share = plan.keptClipBytes / max(1, data.entries.count) * entries.count
            return LabelledClips(entries, loader: loader, keepingBytes: share)
        }
        let output = configuration.output
        let folder = try existing ?? RunFolder.create(directory: output.directory, name: output.name, existOk: output.existOk)
        let lock = try RunLock(folder)
        if existing == nil { try folder.removeOldCheckpoints() }
        try AtomicFile.write(to: folder.configPath) { try $0.write(configuration.text.utf8) }
        let results = try ResultsFile(path: folder.resultsPath, keeping: state.epoch)
        let trainer = Trainer(
            classifier, optimizer: optimizer, configuration: configuration, training: clips(.train), validation: clips(.validation),
            memory: plan.step, features: FeatureKeeping(cache: try command.features.cache(), keepsInMemory: plan.keepsFeatures),
            workers: workers, state: state, secondsBefore: results.secondsSoFar)
        let parts = zip(["training", "validation", "test"], DataPart.allCases)
        let report = StartupReport(
            classifier: classifier, dataPath: configuration.data.path,
            parts: parts.map { .init(name: $0, clips: data.entries(of: $1).count) }, optimizer: configuration.optimizer.summary,
            threads: workers.count, memory: plan.estimate)
        return TrainingSession(
            configuration: configuration, folder: folder, lock: lock, trainer: trainer, startupReport: report, results: results)
    }

    // MARK: Checkpoints

    /// Everything to go on from.
    func saveLast() throws {
        try Checkpoint.write(
            to: folder.lastPath, config: configurationText, classes: trainer.classifier.classes, state: try trainer.state.text,
            tensors: Checkpoint.tensors(of: trainer.classifier.parameters) + trainer.optimizer.tensors(trainer.classifier.parameters))
    }

    /// Sufficient alone: weights, config, classes, preprocessing.
    func saveBest() throws {
        try Checkpoint.write(
            to: folder.bestPath, config: configurationText, classes: trainer.classifier.classes, state: nil,
            tensors: Checkpoint.tensors(of: trainer.classifier.parameters))
    }
}
