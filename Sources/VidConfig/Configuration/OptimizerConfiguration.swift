/// The optimiser and its settings, under Keras's names.
///
/// One struct for all types: settings that do not belong to `type` keep their defaults and are not used.
/// In double precision, because 1 - beta_2 taken from a single-precision 0.999 is off by 1e-5 of itself.
package struct OptimizerConfiguration: Sendable, Equatable, Codable {
    package var type = OptimizerType.nadam
    package var learningRate = 0.002
    package var beta1 = 0.9
    package var beta2 = 0.999
    package var epsilon = 1e-8
    package var scheduleDecay = 0.004
    package var momentum = 0.0
    package var nesterov = false
    package var rho = 0.9
    /// Gradients whose norm over all parameters exceeds this are scaled down to it; nil = never.
    package var clipNorm: Float?
    /// Decoupled from the gradient (Loshchilov and Hutter 2019): w -= learning_rate x weight_decay x w.
    package var weightDecay: Float = 0

    package init() {}

    package init(type: OptimizerType) {
        self.type = type
    }
}

package enum OptimizerType: String, Sendable, Equatable, Codable, CaseIterable {
    case nadam
    case adam
    case sgd
    case rmsprop
}
