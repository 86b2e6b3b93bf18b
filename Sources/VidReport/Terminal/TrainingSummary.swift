import VidConfig
import VidSystem
import VidTrain

/// The settings of a training in lines for the start-up report and the report; settings that do nothing are left out.
package struct TrainingSummary: Sendable {
    package let lines: [(label: String, text: String)]

    /// - Parameters:
    ///   - clips: the number of training clips.
    ///   - hasFrozenLayers: whether the first layers of the CNN are frozen.
    ///   - hasValidation: whether there are validation clips.
    package init(_ configuration: RunConfiguration, clips: Int, hasFrozenLayers: Bool, hasValidation: Bool) {
        func watched(_ metric: Metric) -> String { Monitor.watched(metric, hasValidation: hasValidation).rawValue.printable }
        let stages = configuration.stages.isEmpty ? [] : configuration.stagePlans
        let texts =
            [
                ("optimizer", TrainingSummary.optimizer(configuration, watched)), ("sampling", TrainingSummary.sampling(configuration)),
                ("augmentation", TrainingSummary.augmentation(configuration)),
                ("", TrainingSummary.cost(configuration, clips: clips, hasFrozenLayers: hasFrozenLayers)),
                ("balance", TrainingSummary.balance(configuration)),
            ] + stages.enumerated().map { ($0 == 0 ? "stages" : "", TrainingSummary.stage($0, $1, hasCNN: configuration.model.cnn != nil)) }
            + [("stops", TrainingSummary.end(configuration, watched))]
        lines = texts.compactMap { label, text in text.map { (label, $0) } }
    }

    /// "nadam, learning rate 0.002, clip norm 1.0, cosine schedule, warm-up over 2.0 epochs".
    private static func optimizer(_ configuration: RunConfiguration, _ watched: (Metric) -> String) -> String {
        let optimizer = configuration.optimizer
        var text = "\(optimizer.type.rawValue), learning rate \(optimizer.learningRate)"
        if let clipNorm = optimizer.clipNorm { text += ", clip norm \(clipNorm)" }
        if optimizer.weightDecay > 0 { text += ", weight decay \(optimizer.weightDecay)" }
        if optimizer.gradientAccumulationSteps > 1 { text += ", \(optimizer.gradientAccumulationSteps) batches per step" }
        let schedule = configuration.training.schedule
        if schedule.type != .constant { text += ", \(schedule.type.rawValue) schedule" }
        if schedule.warmupEpochs > 0 { text += ", warm-up over \(schedule.warmupEpochs) epochs" }
        if let patience = configuration.training.reduceOnPlateau.patience {
            let reduction = configuration.training.reduceOnPlateau
            text += ", multiplied by \(reduction.factor) after \(Formatting.count(patience, "epoch")) without a better "
            text += watched(reduction.monitor)
        }
        return text
    }

    private static func sampling(_ configuration: RunConfiguration) -> String? {
        let sampling = configuration.data.sampling
        var text: String? =
            switch sampling.type {
            case .uniform: nil
            case .random: "each clip is cut into equal stretches; one random frame of each in training, the middle frame in evaluation"
            case .consecutive:
                "\(sampling.stride == 1 ? "consecutive frames" : "one frame in \(sampling.stride)"), from a random start in training"
            case .fps: "\(sampling.framesPerSecond) frames per second, from a random start in training"
            }
        if configuration.evaluation.clips > 1 {
            text =
                (text.map { $0 + "; " } ?? "") + "evaluation averages the scores of \(configuration.evaluation.clips) samples of each clip"
        }
        return text
    }

    private static func augmentation(_ configuration: RunConfiguration) -> String? {
        let augmentation = configuration.augmentation
        var parts: [String] = []
        func add(_ name: String, _ value: Double) { if value > 0 { parts.append("\(name) \(value)") } }
        add("horizontal flip", augmentation.horizontalFlip)
        if augmentation.randomResizedCrop.scale < 1 { parts.append("random resized crop from \(augmentation.randomResizedCrop.scale)") }
        add("brightness", augmentation.brightness)
        add("contrast", augmentation.contrast)
        add("saturation", augmentation.saturation)
        add("rotation", augmentation.rotation)
        add("frame drop", augmentation.frameDrop)
        add("time reverse", augmentation.timeReverse)
        add("mixup", augmentation.mixup)
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    /// How often the frozen layers must encode randomly sampled or augmented clips.
    private static func cost(_ configuration: RunConfiguration, clips: Int, hasFrozenLayers: Bool) -> String? {
        guard hasFrozenLayers, configuration.model.cnn != nil, configuration.variesInTraining else { return nil }
        guard let copies = configuration.augmentation.copies else {
            return "samples change every epoch, so the frozen layers encode \(Formatting.count(clips, "clip")) per epoch and nothing is "
                + "cached (augmentation.copies limits this)"
        }
        return "\(copies) copies of each clip: the frozen layers encode \(Formatting.count(clips * copies, "sample")) once and cache them"
    }

    private static func balance(_ configuration: RunConfiguration) -> String? {
        var parts: [String] = []
        switch configuration.training.classWeights {
        case .none: break
        case .balanced: parts.append("class weights balanced")
        case .byLabel(let weights): parts.append("class weights " + weights.map { "\($0.label) \($0.weight)" }.joined(separator: ", "))
        }
        if configuration.training.balancedSampling { parts.append("every class has equally many clips in an epoch") }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    private static func stage(_ index: Int, _ stage: StagePlan, hasCNN: Bool) -> String {
        let trained: String =
            switch stage.trainable {
            case .none: hasCNN ? "CNN frozen" : "all layers trained"
            case .all: "all layers trained"
            case .from(let name): "trained from \(name) on"
            }
        return "\(index + 1): \(Formatting.count(stage.epochs, "epoch")), \(trained), learning rate \(stage.learningRate)"
    }

    private static func end(_ configuration: RunConfiguration, _ watched: (Metric) -> String) -> String? {
        let training = configuration.training
        var parts: [String] = []
        if let patience = training.earlyStopping.patience {
            parts.append("after \(Formatting.count(patience, "epoch")) without a better \(watched(training.monitor))")
        }
        if let target = training.target { parts.append("at \(watched(training.monitor)) \(target)") }
        if let minutes = training.maxMinutes { parts.append("after \(minutes) minutes") }
        return parts.isEmpty ? nil : parts.joined(separator: ", or ")
    }
}
