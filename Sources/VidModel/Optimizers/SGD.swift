import VidConfig
import VidTensor

/// Stochastic gradient descent with momentum as Keras has it.
///
///     m = momentum m - learning_rate g
///     w += m                                 or, with Nesterov:  w += momentum m - learning_rate g
///
/// Without momentum: w -= learning_rate g, and no slot.
struct SGD: OptimizerRule {
    private let settings: OptimizerConfiguration

    init(_ settings: OptimizerConfiguration) { self.settings = settings }

    var slots: [String] { settings.momentum > 0 ? ["m"] : [] }

    func update(
        _ run: OptimizerUpdate.Run, _ slot: (Int) -> Tensor, _ state: OptimizerState, _ common: OptimizerUpdate.Common, _ workers: Workers
    ) {
        OptimizerUpdate.sgd(
            run, m: settings.momentum > 0 ? slot(0) : nil, common, momentum: settings.momentum, nesterov: settings.nesterov, workers)
    }
}
