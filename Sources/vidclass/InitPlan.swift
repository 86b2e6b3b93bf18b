import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// A configuration made for a data set, with the reason for each choice.
struct InitPlan {
    /// One value that was chosen.
    struct Choice: Equatable {
        /// Its path in the config, or what it is where it has none.
        let key: String
        let value: String
        let because: String
    }

    private(set) var configuration = RunConfiguration()
    private(set) var choices: [Choice] = []
    private let report: DataReport
    private let threads: Int

    /// What most of the clips are.
    private enum Material { case videos, packed, sound }

    /// - Parameters:
    ///   - report: of the data opened without a split, so that its parts are those that it names itself.
    ///   - gigaflops: a second, of the machine's matrix products.
    /// - Throws: `.badData` where no clip can be read, or no model fits into the machine's memory.
    init(_ report: DataReport, library: WeightsLibrary, threads: Int, gigaflops: Double) async throws {
        self.report = report
        self.threads = threads
        guard !report.facts.isEmpty else {
            throw report.badClipsError ?? VidclassError.file(report.data.path, "none of its clips can be read")
        }
        configuration.data.path = report.data.path
        chooseInput()
        if isSmall { chooseSmallNetwork() } else { await choosePretrainedNetwork(library, gigaflops) }
        chooseParts()
        chooseTraining()
        try chooseBatch()
    }

    /// Of a momentum that comes to know the data within the few steps that small data has.
    private static var normalization: BatchNormalizationOptions {
        var options = BatchNormalizationOptions()
        options.momentum = 0.9
        return options
    }

    private var training: [ClipFacts] { report.clips.filter { $0.entry.split == .train }.compactMap(\.facts) }

    private var material: Material {
        let videos = report.facts.filter { $0.kind == "video" }.count
        let sounds = report.facts.filter { $0.kind == "sound" }.count
        if 2 * sounds > report.facts.count { return .sound }
        return 2 * videos > report.facts.count ? .videos : .packed
    }

    /// Notes a choice, in the place of an earlier one for the same key.
    private mutating func choose(_ key: String, _ value: String, _ because: String) {
        let choice = Choice(key: key, value: value, because: because)
        if let place = choices.firstIndex(where: { $0.key == key }) { choices[place] = choice } else { choices.append(choice) }
    }

    // MARK: - Input

    private mutating func chooseInput() {
        chooseFrames()
        switch material {
        case .sound:
            (configuration.model.input.channels, configuration.model.input.rows, configuration.model.input.columns) = (1, 64, 64)
            choose("model.input", "64 mel bands x 64 steps", "sound is seen as frames of its spectrogram")
        case .packed:
            guard let size = report.sizes.first else { return }
            configuration.model.input.rows = size.rows
            configuration.model.input.columns = size.columns
            configuration.model.input.channels = size.channels
            let others = report.facts.count - size.clips
            choose(
                "model.input", "\(size.channels) x \(size.rows) x \(size.columns)",
                others == 0
                    ? "the packed clips have this size" : "most packed clips have it; \(others) have another and must be packed again")
        case .videos:
            let sides = report.facts.map { min($0.rows, $0.columns) }.sorted()
            let side = sides[sides.count / 2]
            let chosen = side >= 200 ? 224 : max(32, side / 32 * 32)
            configuration.model.input.rows = chosen
            configuration.model.input.columns = chosen
            choose(
                "model.input", "3 x \(chosen) x \(chosen)",
                side >= 200
                    ? "what VGG16 was trained on; the videos' short side is \(side) (median)"
                    : "the multiple of 32 below the videos' short side of \(side) (median)")
        }
    }

    private mutating func chooseFrames() {
        let counts = training.map(\.frames).sorted()
        let median = counts.isEmpty ? 16 : counts[counts.count / 2]
        let seconds = report.durations?.median ?? 0
        var frames = seconds > 60 ? 32 : seconds > 10 ? 24 : 16
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
                "\(Formatting.count(short, "training clip")) with fewer frames; they start again from their first")
        }
        configuration.data.sampling = SamplingConfiguration(type: .uniform)
    }

    // MARK: - Network

    /// Too small, or not of the colours, for what ImageNet's weights know.
    private var isSmall: Bool {
        let input = configuration.model.input
        return input.channels != 3 || min(input.rows, input.columns) < 64
    }

    private mutating func chooseSmallNetwork() {
        let input = configuration.model.input
        let all = [[16], [32], [64], [128]]
        let least = min(input.rows, input.columns)
        let count = max(1, min(all.count, (0..<all.count).last { least >> ($0 + 1) >= 4 }.map { $0 + 1 } ?? 1))
        let blocks = Array(all.prefix(least < 2 ? 0 : count))
        configuration.model.cnn.architecture = .blocks(blocks)
        configuration.model.cnn.weights = nil
        configuration.model.cnn.trainable = .all
        configuration.model.cnn.pooling = .flatten
        configuration.model.recurrent = [.batchNormalization(InitPlan.normalization), .lstm(RecurrentOptions(units: 64))]
        configuration.model.hidden = [.dense(DenseOptions(units: 64))]
        choose(
            "model.cnn", "\(blocks.count) small blocks, from scratch",
            input.channels == 3
                ? "frames of \(input.columns)x\(input.rows) are too small for VGG16"
                : "ImageNet's weights are for colour, these clips have \(Formatting.count(input.channels, "channel"))")
        choose("model.recurrent", "batch_normalization, lstm of 64", "a small network for small frames")
        let areFloats = report.facts.contains { $0.coding == ClipElement.float32.name }
        configuration.data.preprocessing = areFloats && material == .packed ? .none : .symmetric
        choose(
            "data.preprocessing", configuration.data.preprocessing.rawValue,
            areFloats && material == .packed ? "floats are taken as they are" : "no weights ask for another")
    }

    private mutating func choosePretrainedNetwork(_ library: WeightsLibrary, _ gigaflops: Double) async {
        configuration.model.cnn.weights = "imagenet"
        do {
            let path = try library.find("imagenet", .vgg16)
            let weights = try await ImportedWeights.read(path, hdf5: ReadHDF5Command.child)
            configuration.data.preprocessing = weights.preprocessing
            choose("model.cnn", "vgg16, imagenet, frozen", "knows pictures already; weights are at \(path.printable)")
        } catch {
            configuration.data.preprocessing = .caffe
            choose(
                "model.cnn", "vgg16, imagenet, frozen",
                "knows pictures already; its weights are NOT here yet: get them with `vidclass weights fetch vgg16`")
        }
        choose("data.preprocessing", configuration.data.preprocessing.rawValue, "it belongs to these weights")
        shrinkForSpeed(gigaflops)
        let units = training.count < 500 ? 256 : 1024
        configuration.model.recurrent = [.batchNormalization(InitPlan.normalization), .lstm(RecurrentOptions(units: 256))]
        configuration.model.hidden = [.dense(DenseOptions(units: units)), .dropout(rate: 0.5)]
        choose("model.recurrent", "batch_normalization, lstm of 256", "VGG16's features are large: they are brought to one scale")
        choose(
            "model.hidden", "dense of \(units), dropout 0.5",
            training.count < 500
                ? "\(Formatting.count(training.count, "training clip")): more units would learn them by heart"
                : "\(Formatting.count(training.count, "training clip"))")
    }

    /// Halves videos' frames until VGG16 goes over all of them once in two hours.
    private mutating func shrinkForSpeed(_ gigaflops: Double) {
        guard material == .videos, gigaflops > 0 else { return }
        func hours(_ side: Int) -> Double {
            // 15.35 billion multiplications of VGG16 at 224 x 224; Winograd's algorithm gives some 1.6 times GEMM's speed.
            let perFrame = 30.7 * Double(side * side) / Double(224 * 224) / (1.6 * gigaflops)
            return perFrame * Double(report.clips.count * configuration.model.input.frames) / 3600
        }
        let side = configuration.model.input.rows
        var chosen = side
        while hours(chosen) > 2, chosen > 64 { chosen = max(64, chosen / 2 / 32 * 32) }
        guard chosen < side else { return }
        configuration.model.input.rows = chosen
        configuration.model.input.columns = chosen
        choose(
            "model.input", "3 x \(chosen) x \(chosen)",
            "at \(side) this machine would need some \(Formatting.fixed(hours(side), 0)) hours to encode all clips once, so "
                + "\(Formatting.fixed(hours(chosen), 1))")
    }

    // MARK: - Parts and training

    private mutating func chooseParts() {
        let count = training.count
        if report.splits.contains(.validation) {
            configuration.data.validationSplit = 0
            choose("data.validation_split", "0", "the data names a validation part")
        } else {
            configuration.data.validationSplit = count >= 1000 ? 0.1 : 0.2
            choose(
                "data.validation_split", "\(configuration.data.validationSplit)",
                count >= 1000
                    ? "a tenth of \(Formatting.grouped(count)) training clips measures well" : "a fifth of \(count) training clips")
        }
    }

    private mutating func chooseTraining() {
        let count = max(1, training.count)
        let epochs = count < 200 ? 60 : count < 2000 ? 40 : 20
        configuration.training.epochs = epochs
        let patience = epochs / 4
        choose("training.epochs", "\(epochs)", "\(Formatting.count(count, "training clip")); fewer clips need more passes")
        configuration.training.earlyStopping.patience = patience
        configuration.training.earlyStopping.restoreBestWeights = true
        choose("training.early_stopping", "patience \(patience)", "ends when a quarter of the epochs brought nothing better")
        let counts = report.data.counts(of: .train).filter { $0 > 0 }
        if let least = counts.min(), let most = counts.max(), 2 * most > 3 * least {
            configuration.training.classWeights = .balanced
            choose("training.class_weights", "balanced", "classes have from \(least) to \(most) training clips")
        }
    }

    /// The largest batch that fits, of frames as small as it takes.
    private mutating func chooseBatch() throws {
        let wanted = training.count >= 500 ? 32 : training.count >= 64 ? 16 : 8
        while true {
            let classifier = try Classifier(configuration.model, classes: report.data.classes)
            let slots = configuration.optimizer.slotCount
            var batch = wanted
            var refusal: (any Error)?
            while batch >= 1 {
                configuration.training.batchSize = batch
                do {
                    let plan = try MemoryPlan(
                        classifier, slots: slots, configuration, training: training.count,
                        validation: report.data.entries.count - training.count, threads: threads)
                    choose(
                        "training.batch_size", "\(batch)",
                        batch == wanted
                            ? "\(Formatting.count(training.count, "training clip")); takes \(Formatting.bytes(plan.estimate.total)) of memory"
                            : "the most that fits: \(wanted) would need more memory than the machine has free")
                    return
                } catch {
                    refusal = error
                    batch /= 2
                }
            }
            let side = configuration.model.input.rows
            guard material == .videos, side > 64, let refusal else { throw refusal ?? VidclassError(.other, "no batch fits") }
            _ = refusal
            configuration.model.input.rows = max(64, side / 2 / 32 * 32)
            configuration.model.input.columns = configuration.model.input.rows
            choose(
                "model.input", "3 x \(configuration.model.input.rows) x \(configuration.model.input.rows)",
                "larger frames do not fit into memory")
        }
    }

    // MARK: - The file

    /// A config with a remark on each choice; values that are the defaults are left out, but for the chosen ones.
    var text: String {
        let remarks =
            ["Made by `vidclass init` from \(report.data.path.printable):"]
            + choices.map { "\($0.key): \($0.value), because: \($0.because)" }
        var document: JSONNode = [:]
        document.set(RunConfiguration.commentKey, .array(remarks.map { .string($0) }))
        let kept: Set<String> = [
            "seed", "model.input", "model.cnn.architecture", "model.cnn.weights", "model.cnn.trainable", "model.cnn.pooling",
            "model.recurrent", "model.hidden", "optimizer.type", "optimizer.learning_rate", "data.path", "data.validation_split",
            "data.preprocessing", "data.short_clips", "data.sampling", "training.epochs", "training.batch_size",
            "training.class_weights", "training.early_stopping.patience", "training.early_stopping.restore_best_weights",
            "output.directory", "output.name",
        ]
        let resolved = InitPlan.pruned(configuration.json, RunConfiguration().json, path: "", kept: kept)
        for member in resolved?.objectMembers ?? [] { document.set(member.key, member.value) }
        return document.text(pretty: true) + "\n"
    }

    /// The members that differ from `defaults` or are to be kept; nil where there are none.
    private static func pruned(_ node: JSONNode, _ defaults: JSONNode?, path: String, kept: Set<String>) -> JSONNode? {
        if kept.contains(path) { return node }
        guard let members = node.objectMembers, let defaultMembers = defaults?.objectMembers else {
            // A plain nil would be JSON's null.
            return node == defaults ? JSONNode?.none : node
        }
        // An object with other keys than the default's (an optimizer of another type) stays whole.
        guard members.map(\.key) == defaultMembers.map(\.key) else { return node }
        let left = members.compactMap { member in
            pruned(member.value, defaults?[member.key], path: path.isEmpty ? member.key : path + "." + member.key, kept: kept)
                .map { (member.key, $0) }
        }
        return left.isEmpty ? JSONNode?.none : .object(left)
    }

    /// The choices as a person reads them in 80 columns.
    var table: String {
        choices.map { choice in
            Terminal.paragraph("\(choice.key) = \(choice.value)", indent: 4)
                + Terminal.paragraph("    " + choice.because, indent: 4)
        }.joined()
    }
}
