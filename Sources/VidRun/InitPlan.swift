import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// A configuration for a data set, with the reason for each choice.
package struct InitPlan {
    package private(set) var choices: [ConfigurationChoice] = []
    /// The findings on the clips, as this configuration splits and uses them.
    package private(set) var report: DataReport
    /// The steps before the first training.
    var preparations: [Step] = []
    var configuration = RunConfiguration()
    let runtime: Runtime
    /// How the clips were checked; sounds depend on it.
    private let checkedWith: ClipLoader
    let speed: EncodingSpeed
    let startsFromScratch: Bool

    /// Something to do for the user.
    package struct Step: Equatable, Sendable {
        package let sentence: String
        /// The command that does it; nil if there is none.
        package let command: String?
    }

    /// What most of the clips are.
    enum Material { case videos, packed, vectors, sound }

    /// Checks all clips, measures how fast the machine runs networks, and chooses a configuration.
    ///
    /// - Parameter data: labelled clips, with no splits but those that the data names itself.
    /// - Throws: `.badData` if no clip can be read, if a class loses all its training clips because they cannot be used, or if no
    ///   model fits into the machine's memory.
    package init(for data: DataSet, in runtime: Runtime) async throws {
        var defaults = RunConfiguration()
        defaults.model.input = InitPlan.anyInput
        let loader = ClipLoader(defaults)
        let report = try await runtime.check(data, loader: loader, mustFit: false, leakCheck: true)
        try await self.init(report, checkedWith: loader, in: runtime)
    }

    /// Chooses a configuration for clips that are checked already.
    ///
    /// - Parameters:
    ///   - report: the findings, with no splits but those that the data names itself.
    ///   - loader: the loader of the check, which no clip had to fit.
    ///   - speed: how fast the machine runs networks; nil to measure it.
    ///   - startsFromScratch: whether a small CNN is to be trained from random weights, whatever the frames are.
    /// - Throws: as `init(for:in:)`.
    package init(
        _ report: DataReport, checkedWith loader: ClipLoader, startsFromScratch: Bool = false, speed: EncodingSpeed? = nil,
        in runtime: Runtime
    ) async throws {
        self.report = report
        self.runtime = runtime
        self.startsFromScratch = startsFromScratch
        checkedWith = loader
        self.speed = speed ?? EncodingSpeed(workers: runtime.workers)
        if report.facts.isEmpty, let error = report.badClipsError() { throw error }
        configuration.data.path = report.data.path
        configuration.data.media = report.data.media
        choose("data.path", report.data.path.printable, DataReportText.clips(report))
        chooseInput()
        let split = splitChoice()
        let whole = report.divided(
            as: try DataSet.open(
                report.data.path, media: report.data.media, split: configuration.data.splitOptions(seed: configuration.seed)))
        self.report = try await fitted(whole, to: configuration)
        let input = configuration.model.input
        if material == .vectors { chooseVectorNetwork() } else if isSmall { chooseSmallNetwork() } else { await choosePretrainedNetwork() }
        choose(split.key, split.value, split.because)
        chooseTraining()
        try chooseBatch()
        if configuration.model.input != input { self.report = try await fitted(whole, to: configuration) }
        chooseBadClips()
        self.report.expectsBytes = configuration.data.preprocessing != .none
    }

    /// The model input for checks without a configuration. Only sounds use it: they have no frames of their own and are read as
    /// spectrograms.
    package static var anyInput: InputConfiguration {
        var input = InputConfiguration()
        (input.channels, input.rows, input.columns) = (1, 64, 64)
        return input
    }

    /// Batch-norm momentum low enough to converge in few steps.
    static var normalization: BatchNormalizationOptions {
        var options = BatchNormalizationOptions()
        options.momentum = 0.9
        return options
    }

    /// The usable training clips. Before the data is split, all clips are training clips.
    var training: [ClipFacts] { report.clips.filter { $0.entry.split == .train }.compactMap(\.facts) }

    var material: Material {
        let videos = report.facts.filter { $0.kind == "video" || $0.kind == "pictures" }.count
        let sounds = report.facts.filter { $0.kind == "sound" }.count
        if 2 * sounds > report.facts.count { return .sound }
        if 2 * report.facts.filter({ $0.kind == ClipFacts.vectors }).count > report.facts.count { return .vectors }
        return 2 * videos > report.facts.count ? .videos : .packed
    }

    /// Records a choice and replaces an earlier one for the same key.
    mutating func choose(_ key: String, _ value: String, _ because: String) {
        let choice = ConfigurationChoice(key: key, value: value, because: because)
        if let place = choices.firstIndex(where: { $0.key == key }) { choices[place] = choice } else { choices.append(choice) }
    }

    // MARK: - Input

    private mutating func chooseInput() {
        chooseFrames()
        switch material {
        case .sound:
            (configuration.model.input.channels, configuration.model.input.rows, configuration.model.input.columns) = (1, 64, 64)
            choose("model.input", "64 mel bands x 64 steps", "sounds become frames of their spectrogram")
        case .vectors:
            guard let size = report.sizes.first(where: { $0.rows == 1 && $0.channels == 1 }) else { return }
            configuration.model.input = InputConfiguration(frames: configuration.model.input.frames, features: size.columns)
            configuration.model.cnn = nil
            configuration.data.preprocessing = .none
            let others = report.facts.count - size.clips
            choose(
                "model.input", Formatting.count(size.columns, "feature"),
                others == 0 ? "the clips are vectors of this size, not pixels" : "most clips are vectors of this size; \(others) are not")
        case .packed:
            guard let size = report.sizes.first else { return }
            configuration.model.input.rows = size.rows
            configuration.model.input.columns = size.columns
            configuration.model.input.channels = size.channels
            let others = report.facts.count - size.clips
            choose(
                "model.input", "\(size.channels) x \(size.rows) x \(size.columns)",
                others == 0
                    ? "the packed clips have this size" : "most packed clips have this size; \(others) must be packed again")
        case .videos:
            let sides = report.facts.map { min($0.rows, $0.columns) }.sorted()
            let side = sides[sides.count / 2]
            let chosen = startsFromScratch ? min(64, max(32, side / 32 * 32)) : side >= 200 ? 224 : max(32, side / 32 * 32)
            configuration.model.input.rows = chosen
            configuration.model.input.columns = chosen
            choose(
                "model.input", "3 x \(chosen) x \(chosen)",
                startsFromScratch
                    ? "small frames for a small CNN"
                    : side >= 200
                        ? "the size of ImageNet's trainings; the videos' short side is \(side) (median)"
                        : "the multiple of 32 below the videos' short side of \(side) (median)")
        }
    }

    private mutating func chooseFrames() {
        let counts = report.facts.map(\.frames).sorted()
        let median = counts.isEmpty ? 16 : counts[counts.count / 2]
        let seconds = report.durations?.median ?? 0
        var frames = material == .vectors ? min(median, 64) : seconds > 60 ? 32 : seconds > 10 ? 24 : 16
        var because = "spread evenly over clips of \(Formatting.fixed(seconds, 1)) s (median)"
        if seconds == 0 { because = "spread evenly over clips of \(Formatting.count(median, "frame")) (median)" }
        if median < frames {
            frames = max(1, median)
            because = "the clips have \(Formatting.count(median, "frame")) (median)"
        }
        configuration.model.input.frames = frames
        choose("model.input.frames", "\(frames)", because)
        let short = counts.filter { $0 < frames }.count
        if short > 0 {
            choose(
                "data.short_clips", configuration.data.shortClips.rawValue,
                "\(Formatting.count(short, "clip has", "clips have")) fewer frames; they are repeated from the start")
        }
        configuration.data.sampling = SamplingConfiguration(type: .uniform)
    }

    // MARK: - Splits and training

    /// Sets the share of the validation split.
    private mutating func splitChoice() -> ConfigurationChoice {
        let key = "data.validation_split"
        if report.splits.contains(.validation) {
            configuration.data.validationSplit = 0
            return ConfigurationChoice(key: key, value: "0", because: "the data names a validation split")
        }
        let count = training.count
        let isDivisible = Set(report.clips.filter { $0.entry.split == .train }.map(\.entry.label)).count < count
        configuration.data.validationSplit = count >= 1000 ? 0.1 : 0.2
        return ConfigurationChoice(
            key: key, value: "\(configuration.data.validationSplit)",
            because: !isDivisible
                ? "no clip is held out to measure with, because each class has only one"
                : count >= 1000
                    ? "a tenth of \(Formatting.grouped(count)) clips is enough to measure with"
                    : "a fifth of the \(count) clips is held out to measure with")
    }

    /// The report in which the clips that a training under `configuration` could not use are bad.
    ///
    /// - Throws: `.badData` if a class would have no training clips left.
    func fitted(_ report: DataReport, to configuration: RunConfiguration) async throws -> DataReport {
        let loader = ClipLoader(configuration)
        var report = report.fitted(to: loader)
        // The check has read sounds as spectrograms of its loader's size.
        let sounds = Set(report.clips.filter { $0.facts?.kind == "sound" }.map { Array($0.entry.id.utf8) })
        if !sounds.isEmpty, loader.channels != checkedWith.channels || loader.rows != checkedWith.rows {
            let checked = try await runtime.check(
                report.data.keeping { sounds.contains(Array($0.id.utf8)) }, loader: loader, leakCheck: false)
            report = report.replacing(checked.clips)
        }
        if report.lostClass != nil, let error = report.badClipsError() { throw error }
        return report
    }

    private mutating func chooseBadClips() {
        let bad = report.bad
        guard let first = bad.first else { return }
        configuration.data.skipBadClips = true
        choose(
            "data.skip_bad_clips", "true",
            "\(Formatting.count(bad.count, "clip")) of \(report.clips.count) cannot be used"
                + (bad.count == 1 ? ": " : ", for example ") + "\(first.entry.path.printable) (\(first.reason ?? ""))")
    }

    private mutating func chooseTraining() {
        let count = max(1, training.count)
        let epochs = count < 200 ? 60 : count < 2000 ? 40 : 20
        configuration.training.epochs = epochs
        let patience = epochs / 4
        choose("training.epochs", "\(epochs)", "\(Formatting.count(count, "training clip")); fewer clips need more passes")
        configuration.training.earlyStopping.patience = patience
        configuration.training.earlyStopping.restoreBestWeights = true
        choose("training.early_stopping", "patience \(patience)", "stops after a quarter of the epochs without improvement")
        let counts = report.goodData.counts(of: .train).filter { $0 > 0 }
        if let least = counts.min(), let most = counts.max(), 2 * most > 3 * least {
            configuration.training.classWeights = .balanced
            choose("training.class_weights", "balanced", "classes have from \(least) to \(most) training clips")
        }
    }

    /// Chooses the largest batch that fits, with smaller frames if none does.
    private mutating func chooseBatch() throws {
        let wanted = training.count >= 500 ? 32 : training.count >= 64 ? 16 : 8
        var classifier = try Classifier(configuration.model, classes: report.data.classes)
        var batch = wanted
        while true {
            configuration.training.batchSize = batch
            do {
                let plan = try MemoryPlan(
                    classifier, slots: configuration.optimizer.slotCount, configuration, training: training.count,
                    validation: report.goodData.entries(of: .validation).count, threads: runtime.workers.count)
                return choose(
                    "training.batch_size", "\(batch)",
                    batch == wanted
                        ? "\(Formatting.count(training.count, "training clip")); it takes \(Formatting.bytes(plan.estimate.total)) of memory"
                        : "the most that fits: \(wanted) would need more memory than is free")
            } catch {
                batch /= 2
                guard batch == 0 else { continue }
                let side = configuration.model.input.rows
                guard material == .videos, side > 64 else { throw error }
                let smaller = max(64, side / 2 / 32 * 32)
                (configuration.model.input.rows, configuration.model.input.columns) = (smaller, smaller)
                choose("model.input", "3 x \(smaller) x \(smaller)", "larger frames do not fit into memory")
                classifier = try Classifier(configuration.model, classes: report.data.classes)
                batch = wanted
            }
        }
    }
}
