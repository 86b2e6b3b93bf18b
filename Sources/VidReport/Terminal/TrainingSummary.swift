import VidConfig
import VidTrain

/// What a configuration makes of a training, in lines for the start-up report; what is at its default and does nothing is
/// left out.
package struct TrainingSummary {
    /// A word and what there is to say about it.
    package let lines: [(label: String, text: String)]

    /// - Parameters:
    ///   - clips: of the training part.
    ///   - hasFrozenLayers: whether the first layers of the CNN are frozen.
    ///   - hasValidation: whether there is a validation part.
    package init(_ configuration: RunConfiguration, clips: Int, hasFrozenLayers: Bool, hasValidation: Bool) {
        func watched(_ metric: MonitoredMetric) -> String { Monitor(metric, hasValidation: hasValidation).metric.rawValue }
        var lines = [("optimizer", TrainingSummary.optimizer(configuration, watched))]
        if let sampling = TrainingSummary.sampling(configuration) { lines.append(("sampling", sampling)) }
        if let augmentation = TrainingSummary.augmentation(configuration) { lines.append(("augmentation", augmentation)) }
        if let cost = TrainingSummary.cost(configuration, clips: clips, hasFrozenLayers: hasFrozenLayers) { lines.append(("", cost)) }
        if let balance = TrainingSummary.balance(configuration) { lines.append(("balance", balance)) }
        for (index, stage) in configuration.stagePlans.enumerated() where !configuration.stages.isEmpty {
            lines.append((index == 0 ? "stages" : "", TrainingSummary.stage(index, stage)))
        }
        if let end = TrainingSummary.end(configuration, watched) { lines.append(("ends", end)) }
        self.lines = lines
    }

    /// "nadam, learning rate 0.002, clip norm 1.0, cosine schedule after 2.0 warm-up epochs".
    private static func optimizer(_ configuration: RunConfiguration, _ watched: (MonitoredMetric) -> String) -> String {
        let optimizer = configuration.optimizer
        var text = "\(optimizer.type.rawValue), learning rate \(optimizer.learningRate)"
        if let clipNorm = optimizer.clipNorm { text += ", clip norm \(clipNorm)" }
        if optimizer.weightDecay > 0 { text += ", weight decay \(optimizer.weightDecay)" }
        if optimizer.gradientAccumulationSteps > 1 { text += ", \(optimizer.gradientAccumulationSteps) batches a step" }
        let schedule = configuration.training.schedule
        if schedule.type != .constant { text += ", \(schedule.type.rawValue) schedule" }
        if schedule.warmupEpochs > 0 { text += ", warm-up over \(schedule.warmupEpochs) epochs" }
        if let patience = configuration.training.reduceOnPlateau.patience {
            text +=
                ", x \(configuration.training.reduceOnPlateau.factor) after \(Formatting.count(patience, "epoch")) without a better "
                + watched(configuration.training.reduceOnPlateau.monitor)
        }
        return text
    }

    private static func sampling(_ configuration: RunConfiguration) -> String? {
        let sampling = configuration.data.sampling
        var text: String? =
            switch sampling.type {
            case .uniform: nil
            case .random: "a frame at random of each stretch in training, its middle elsewhere"
            case .consecutive: "every \(sampling.stride == 1 ? "" : "\(sampling.stride). ")frame, from a start at random in training"
            case .fps: "\(sampling.framesPerSecond) frames a second, from a start at random in training"
            }
        if configuration.evaluation.clips > 1 {
            text = (text.map { $0 + "; " } ?? "") + "\(configuration.evaluation.clips) samples of each clip in evaluation, scores averaged"
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

    /// What random clips cost behind frozen layers.
    private static func cost(_ configuration: RunConfiguration, clips: Int, hasFrozenLayers: Bool) -> String? {
        guard hasFrozenLayers else { return nil }
        guard configuration.variesInTraining else { return nil }
        guard let copies = configuration.augmentation.copies else {
            return "clips are new each epoch: the frozen layers run on \(Formatting.count(clips, "clip")) an epoch, nothing is cached "
                + "(augmentation.copies bounds that)"
        }
        return "\(copies) copies of each clip: the frozen layers run on \(Formatting.count(clips * copies, "clip")) once, and are cached"
    }

    private static func balance(_ configuration: RunConfiguration) -> String? {
        var parts: [String] = []
        switch configuration.training.classWeights {
        case .none: break
        case .balanced: parts.append("class weights balanced")
        case .byLabel(let weights): parts.append("class weights " + weights.map { "\($0.label) \($0.weight)" }.joined(separator: ", "))
        }
        if configuration.training.balancedSampling { parts.append("as many clips of every class an epoch") }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    private static func stage(_ index: Int, _ stage: StagePlan) -> String {
        let trained: String =
            switch stage.trainable {
            case .none: "the CNN frozen"
            case .all: "all layers trained"
            case .from(let name): "trained from \(name)"
            }
        return "\(index + 1): \(Formatting.count(stage.epochs, "epoch")), \(trained), learning rate \(stage.learningRate)"
    }

    private static func end(_ configuration: RunConfiguration, _ watched: (MonitoredMetric) -> String) -> String? {
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
