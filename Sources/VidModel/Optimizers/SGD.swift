import VidTensor

/// Stochastic gradient descent with momentum as Keras has it.
///
///     m = momentum m - learning_rate g
///     w += m                                 or, with Nesterov:  w += momentum m - learning_rate g
///
/// Without momentum: w -= learning_rate g, and no slot.
package struct SGD: Optimizer {
    package let settings: OptimizerSettings
    package let slots: [OptimizerSlot]
    private let momentum: Double
    private let nesterov: Bool

    package init(_ settings: OptimizerSettings, momentum: Double, nesterov: Bool, _ parameters: ParameterStore) {
        self.settings = settings
        self.momentum = momentum
        self.nesterov = nesterov
        slots = momentum > 0 ? [OptimizerSlot("m", parameters)] : []
    }

    package func update(
        _ run: OptimizerUpdate.Run, _ state: inout OptimizerState, _ common: OptimizerUpdate.Common, _ workers: Workers
    ) {
        OptimizerUpdate.sgd(run, m: slots.first?.whole, common, momentum: momentum, nesterov: nesterov, workers)
    }
}
