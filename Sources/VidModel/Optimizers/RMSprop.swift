import VidConfig
import VidTensor

/// RMSprop (Tieleman and Hinton 2012) as Keras 3 has it, with epsilon under the root.
///
///     v = rho v + (1 - rho) g^2        d = learning_rate g / sqrt(v + epsilon)
///     w -= d                             or, with momentum:  m = momentum m + d, w -= m
struct RMSprop: OptimizerRule {
    private let settings: OptimizerConfiguration

    init(_ settings: OptimizerConfiguration) { self.settings = settings }

    var slots: [String] { settings.momentum > 0 ? ["v", "m"] : ["v"] }

    func update(
        _ run: OptimizerUpdate.Run, _ slot: (Int) -> Tensor, _ state: OptimizerState, _ common: OptimizerUpdate.Common, _ workers: Workers
    ) {
        OptimizerUpdate.rmsprop(
            run, v: slot(0), m: settings.momentum > 0 ? slot(1) : nil, common, rho: settings.rho, epsilon: settings.epsilon,
            momentum: settings.momentum, workers)
    }
}
