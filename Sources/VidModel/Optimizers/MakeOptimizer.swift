import VidConfig

extension OptimizerConfiguration {
    /// How many slots the optimiser has.
    package var slotCount: Int {
        switch type {
        case .nadam, .adam: 2
        case .sgd: momentum > 0 ? 1 : 0
        case .rmsprop: momentum > 0 ? 2 : 1
        }
    }
}

/// The optimiser that `configuration` describes, with its moments over `parameters` at zero.
package func makeOptimizer(_ configuration: OptimizerConfiguration, _ parameters: ParameterStore) -> any Optimizer {
    let settings = OptimizerSettings(
        learningRate: configuration.learningRate, clipNorm: configuration.clipNorm.map { Double($0) },
        weightDecay: Double(configuration.weightDecay))
    switch configuration.type {
    case .nadam:
        return Nadam(
            settings, beta1: configuration.beta1, beta2: configuration.beta2, epsilon: configuration.epsilon,
            scheduleDecay: configuration.scheduleDecay, parameters)
    case .adam:
        return Adam(settings, beta1: configuration.beta1, beta2: configuration.beta2, epsilon: configuration.epsilon, parameters)
    case .sgd:
        return SGD(settings, momentum: configuration.momentum, nesterov: configuration.nesterov, parameters)
    case .rmsprop:
        return RMSprop(
            settings, rho: configuration.rho, epsilon: configuration.epsilon, momentum: configuration.momentum, parameters)
    }
}
