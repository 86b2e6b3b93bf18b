import VidConfig
import VidData
import VidModel
import VidReport
import VidTensor
import VidTrain

/// What a training will hold in memory, and how much of it loaded clips may take between epochs.
struct MemoryPlan {
    let estimate: MemoryEstimate
    /// Half of what is free after the rest.
    let keptClipBytes: Int

    /// - Throws: `.badData` where the training cannot fit into this machine's memory.
    init(_ classifier: Classifier, slots: Int, _ configuration: RunConfiguration, clips: Int, threads: Int) throws {
        let float = MemoryLayout<Float>.stride
        let encoder = classifier.encoder
        let frameBytes = classifier.frameShape.count * float
        // Counted as floating-point numbers first: a config may name extents whose product overflows.
        let batch = Double(configuration.training.batchSize) * Double(classifier.frames) * Double(frameBytes)
        let least = (classifier.trainsCNN ? batch : 0) + Double(encoder.encodeBytes(frames: 1))
        guard least < Double(Machine.memoryBytes) else {
            throw VidclassError(
                .badData,
                "a step of this training needs about \(Int(least / 0x1p30) + 1) GiB of memory, the machine has \(Formatting.bytes(Machine.memoryBytes)). "
                    + "Use a smaller training.batch_size or model.input.")
        }
        let trainable = classifier.parameters.trainableRange.count
        let batchFrames = configuration.training.batchSize * classifier.frames
        let features = FeatureStore.bytes(clips: clips, steps: classifier.frames, features: classifier.features)
        let encoding = encoder.encodeBytes(frames: classifier.trainsCNN ? batchFrames : classifier.frames)
        let activations: Int
        if classifier.trainsCNN {
            let chunk = TrainingStep.chunk(classifier, frames: batchFrames)
            activations = batchFrames * frameBytes + max(encoding, encoder.backwardBytes(frames: chunk))
        } else {
            activations = classifier.frames * frameBytes + encoding
        }
        let scratch = encoder.scratchBytes(workers: threads, gradients: classifier.trainsCNN)
        let parameters =
            (classifier.parameters.values.count + trainable) * float + encoder.filterBytes(gradients: classifier.trainsCNN)
        let optimizer = slots * trainable * float
        let clipBytes = clips * classifier.frames * classifier.frameShape.count
        let free = max(0, Machine.availableBytes - parameters - optimizer - activations - scratch) / 2
        keptClipBytes = classifier.trainsCNN ? free : 0
        estimate = MemoryEstimate(
            parameters: parameters, optimizer: optimizer, activations: activations + scratch,
            data: classifier.trainsCNN ? min(free, clipBytes) : features)
    }
}
