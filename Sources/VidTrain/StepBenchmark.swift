import VidConfig
import VidModel
import VidSystem
import VidTensor

/// How fast a training step is, on random input and labels: a whole one, or the head's alone on features.
package struct StepBenchmark: Sendable {
    package let clips: Int
    package let frames: Int
    package let threads: Int
    /// The median step.
    package let secondsPerStep: Double
    /// The most memory this process has had resident.
    package let peakResidentBytes: Int

    package var millisecondsPerFrame: Double { secondsPerStep * 1e3 / Double(clips * frames) }
    package var clipsPerSecond: Double { Double(clips) / secondsPerStep }

    /// Steps of `clips` clips for about `seconds` (three at least), after one that is not counted.
    ///
    /// The input is random: frames, or features where the CNN is frozen, which leaves the head alone.
    package static func run(
        _ classifier: Classifier, optimizer: any Optimizer, clips: Int, memory: StepMemory, workers: Workers, seconds: Double = 2
    ) throws -> StepBenchmark {
        let step = try TrainingStep(
            classifier, optimizer: optimizer, labelSmoothing: 0, memory: memory, workers: workers, random: RandomGenerator(seed: 2))
        let steps = classifier.frames
        let shape = classifier.trainedInputShape.prepending(clips * steps)
        let buffer = try Buffer(allocating: shape.count)
        defer { withExtendedLifetime(buffer) {} }
        let input = buffer.tensor(shape)
        var random = RandomGenerator(seed: 1)
        for i in 0..<input.count { input.base[i] = random.uniform(-1, 1) }
        let labels = (0..<clips).map { $0 % classifier.classes.count }
        let valid = [Int](repeating: steps, count: clips)
        var times: [Double] = []
        let clock = ContinuousClock()
        let start = clock.now
        while times.count < 4 || clock.now - start < .seconds(seconds) {
            let stepStart = clock.now
            step.begin()
            _ = try step.add(input: input, validFrames: valid, targets: StepTargets(labels: labels), denominator: clips)
            try step.update()
            times.append((clock.now - stepStart).seconds)
        }
        let counted = times.dropFirst().sorted()
        return StepBenchmark(
            clips: clips, frames: steps, threads: workers.count, secondsPerStep: counted[counted.count / 2],
            peakResidentBytes: Machine.peakResidentBytes)
    }
}
