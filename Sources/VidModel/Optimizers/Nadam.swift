import RealModule
import VidTensor

/// Adam with Nesterov momentum and a momentum schedule (Dozat 2016), exactly as Keras 1 and 2 have it.
///
/// With mu_t = beta_1 (1 - 0.5 x 0.96^(t x schedule_decay)) and M_t = mu_1 ... mu_t (kept in the state):
///
///     m = beta_1 m + (1 - beta_1) g        v = beta_2 v + (1 - beta_2) g^2
///     step = (1 - mu_t) g / (1 - M_t) + mu_{t+1} m / (1 - M_t mu_{t+1})
///     w -= learning_rate step / (sqrt(v / (1 - beta_2^t)) + epsilon)
///
/// The same formula as `torch.optim.NAdam(momentum_decay=schedule_decay)`.
package struct Nadam: Optimizer {
    package let settings: OptimizerSettings
    package let slots: [OptimizerSlot]
    private let beta1: Double
    private let beta2: Double
    private let epsilon: Double
    private let scheduleDecay: Double

    package init(
        _ settings: OptimizerSettings, beta1: Double, beta2: Double, epsilon: Double, scheduleDecay: Double, _ parameters: ParameterStore
    ) {
        self.settings = settings
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.scheduleDecay = scheduleDecay
        slots = [OptimizerSlot("m", parameters), OptimizerSlot("v", parameters)]
    }

    /// mu_t.
    private func momentum(_ t: Int) -> Double { beta1 * (1 - 0.5 * Double.pow(0.96, Double(t) * scheduleDecay)) }

    package func update(
        _ run: OptimizerUpdate.Run, _ state: inout OptimizerState, _ common: OptimizerUpdate.Common, _ workers: Workers
    ) {
        let now = momentum(state.step)
        let next = momentum(state.step + 1)
        state.momentumSchedule *= now
        OptimizerUpdate.moments(
            run, m: slots[0].whole, v: slots[1].whole, common, beta1: beta1, beta2: beta2,
            gradientShare: (1 - now) / (1 - state.momentumSchedule), momentumShare: next / (1 - state.momentumSchedule * next),
            vCorrection: 1 / (1 - Double.pow(beta2, state.step)), epsilon: epsilon, workers)
    }
}
