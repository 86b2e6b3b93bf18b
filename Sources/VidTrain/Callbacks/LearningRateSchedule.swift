import RealModule
import VidConfig

/// The learning rate over the steps of a training, or of a stage of it.
package struct LearningRateSchedule: Sendable {
    private let configuration: LearningRateScheduleConfiguration
    package let stepsPerEpoch: Int
    private let steps: Int

    /// - Parameter epochs: planned epochs of the stage.
    package init(_ configuration: LearningRateScheduleConfiguration, epochs: Int, stepsPerEpoch: Int) {
        self.configuration = configuration
        self.stepsPerEpoch = stepsPerEpoch
        steps = epochs * stepsPerEpoch
    }

    /// The factor of the learning rate at step `step` (from 0).
    ///
    /// Warm-up over w steps: (step + 1) / w, which is not 0 in the first step. Then, t steps after the warm-up and with T such
    /// steps in all, cosine: alpha + (1 - alpha) (1 + cos(pi t / T)) / 2, as Keras's CosineDecay; step: factor^floor(epoch / step_epochs).
    package func factor(step: Int) -> Double {
        let warmup = Int((configuration.warmupEpochs * Double(stepsPerEpoch)).rounded())
        if step < warmup { return Double(step + 1) / Double(warmup) }
        switch configuration.type {
        case .constant: return 1
        case .cosine:
            let share = min(1, Double(step - warmup) / Double(max(1, steps - warmup)))
            return configuration.alpha + (1 - configuration.alpha) * 0.5 * (1 + Double.cos(.pi * share))
        case .step: return Double.pow(configuration.factor, step / stepsPerEpoch / configuration.stepEpochs)
        }
    }
}
