import RealModule
import VidConfig
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
struct Nadam: OptimizerRule {
    let slots = ["m", "v"]
    private let settings: OptimizerConfiguration

    init(_ settings: OptimizerConfiguration) { self.settings = settings }

    /// mu_t.
    private func momentum(_ t: Int) -> Double { settings.beta1 * (1 - 0.5 * Double.pow(0.96, Double(t) * settings.scheduleDecay)) }

    func advance(_ state: inout OptimizerState) { state.momentumSchedule *= momentum(state.step) }

    func update(
        _ run: OptimizerUpdate.Run, _ slot: (Int) -> Tensor, _ state: OptimizerState, _ common: OptimizerUpdate.Common, _ workers: Workers
    ) {
        let next = momentum(state.step + 1)
        OptimizerUpdate.moments(
            run, m: slot(0), v: slot(1), common, beta1: settings.beta1, beta2: settings.beta2,
            gradientShare: (1 - momentum(state.step)) / (1 - state.momentumSchedule),
            momentumShare: next / (1 - state.momentumSchedule * next),
            vCorrection: 1 / (1 - Double.pow(settings.beta2, Double(state.step))), epsilon: settings.epsilon, workers)
    }
}
