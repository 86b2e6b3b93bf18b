import VidTensor

/// RMSprop (Tieleman and Hinton 2012) as Keras 3 has it, with epsilon under the root.
///
///     v = rho v + (1 - rho) g^2        d = learning_rate g / sqrt(v + epsilon)
///     w -= d                             or, with momentum:  m = momentum m + d, w -= m
package struct RMSprop: Optimizer {
    package let settings: OptimizerSettings
    package let slots: [OptimizerSlot]
    private let rho: Double
    private let epsilon: Double
    private let momentum: Double

    package init(_ settings: OptimizerSettings, rho: Double, epsilon: Double, momentum: Double, _ parameters: ParameterStore) {
        self.settings = settings
        self.rho = rho
        self.epsilon = epsilon
        self.momentum = momentum
        slots = [OptimizerSlot("v", parameters)] + (momentum > 0 ? [OptimizerSlot("m", parameters)] : [])
    }

    package func update(
        _ run: OptimizerUpdate.Run, _ state: inout OptimizerState, _ common: OptimizerUpdate.Common, _ workers: Workers
    ) {
        OptimizerUpdate.rmsprop(
            run, v: slots[0].whole, m: slots.count > 1 ? slots[1].whole : nil, common, rho: rho, epsilon: epsilon, momentum: momentum,
            workers)
    }
}
