import VidConfig
import VidModel
import VidSystem
import VidTensor

/// The speed of a training step on random input and labels: of the whole network, or of the head alone on features.
package struct StepBenchmark: Sendable {
    package let clips: Int
    package let frames: Int
    package let threads: Int
    /// The median step.
    package let secondsPerStep: Double
    package let fastestSecondsPerStep: Double
    /// The largest resident memory of this process so far.
    package let peakResidentBytes: Int

    package var millisecondsPerFrame: Double { secondsPerStep * 1e3 / Double(clips * frames) }
    package var clipsPerSecond: Double { Double(clips) / secondsPerStep }

    /// The seconds that the head's matrix products of a step on features would take at the speed of the GEMM benchmark, all threads
    /// together.
    package func boundSecondsPerStep(_ head: Head, _ gemm: GEMMBenchmark) -> Double {
        head.trainingFlops * Double(clips) / gemm.allThreads / 1e9
    }

    /// Runs steps of `clips` clips for about `seconds` (at least three), after one that is not counted.
    ///
    /// The input is frames, or features where the CNN is frozen: then only the head runs.
    package static func run(
        _ classifier: Classifier, optimizer: Optimizer, clips: Int, memory: StepMemory, workers: Workers, seconds: Double = 2
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
            fastestSecondsPerStep: counted[0],
            peakResidentBytes: Machine.peakResidentBytes)
    }
}
