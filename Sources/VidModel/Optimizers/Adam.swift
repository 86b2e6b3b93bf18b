import RealModule
import VidTensor

/// Adam (Kingma and Ba 2015) as Keras has it, in the paper's second form: epsilon is its "epsilon hat", added to the
/// uncorrected root.
///
///     m = beta_1 m + (1 - beta_1) g        v = beta_2 v + (1 - beta_2) g^2
///     w -= learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)
package struct Adam: Optimizer {
    package let settings: OptimizerSettings
    package let slots: [OptimizerSlot]
    private let beta1: Double
    private let beta2: Double
    private let epsilon: Double

    package init(_ settings: OptimizerSettings, beta1: Double, beta2: Double, epsilon: Double, _ parameters: ParameterStore) {
        self.settings = settings
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        slots = [OptimizerSlot("m", parameters), OptimizerSlot("v", parameters)]
    }

    package func update(
        _ run: OptimizerUpdate.Run, _ state: inout OptimizerState, _ common: OptimizerUpdate.Common, _ workers: Workers
    ) {
        let t = state.step
        OptimizerUpdate.moments(
            run, m: slots[0].whole, v: slots[1].whole, common, beta1: beta1, beta2: beta2, gradientShare: 0,
            momentumShare: (1 - Double.pow(beta2, t)).squareRoot() / (1 - Double.pow(beta1, t)), vCorrection: 1, epsilon: epsilon, workers)
    }
}
