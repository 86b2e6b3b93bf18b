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

    init(_ classifier: Classifier, slots: Int, _ configuration: RunConfiguration, clips: Int, threads: Int) {
        let float = MemoryLayout<Float>.stride
        let encoder = classifier.encoder
        let trainable = classifier.parameters.trainableRange.count
        let batchFrames = configuration.training.batchSize * classifier.frames
        let frameBytes = classifier.frameShape.count * float
        let features = FeatureStore.bytes(clips: clips, steps: classifier.frames, features: classifier.features)
        let encoding = FrameEncoder.encodeChunk(workers: threads) * encoder.encodeBytesPerFrame
        let activations: Int
        if classifier.trainsCNN {
            let chunk = TrainingStep.chunk(classifier, frames: batchFrames)
            activations = batchFrames * frameBytes + max(encoding, chunk * encoder.backwardBytesPerFrame)
        } else {
            activations = classifier.frames * frameBytes + encoding
        }
        let parameters = (classifier.parameters.values.count + trainable) * float
        let optimizer = slots * trainable * float
        let clipBytes = clips * classifier.frames * classifier.frameShape.count
        let free = max(0, Machine.availableBytes - parameters - optimizer - activations) / 2
        keptClipBytes = classifier.trainsCNN ? free : 0
        estimate = MemoryEstimate(
            parameters: parameters, optimizer: optimizer, activations: activations,
            data: classifier.trainsCNN ? min(free, clipBytes) : features)
    }
}
