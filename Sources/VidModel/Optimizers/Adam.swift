import RealModule
import VidConfig
import VidTensor

/// Adam (Kingma and Ba 2015) as Keras has it, in the paper's second form: epsilon is its "epsilon hat", added to the
/// uncorrected root.
///
///     m = beta_1 m + (1 - beta_1) g        v = beta_2 v + (1 - beta_2) g^2
///     w -= learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)
struct Adam: OptimizerRule {
    let slots = ["m", "v"]
    private let settings: OptimizerConfiguration

    init(_ settings: OptimizerConfiguration) { self.settings = settings }

    func update(
        _ run: OptimizerUpdate.Run, _ slot: (Int) -> Tensor, _ state: OptimizerState, _ common: OptimizerUpdate.Common, _ workers: Workers
    ) {
        let (beta1, beta2, t) = (settings.beta1, settings.beta2, Double(state.step))
        OptimizerUpdate.moments(
            run, m: slot(0), v: slot(1), common, beta1: beta1, beta2: beta2, gradientShare: 0,
            momentumShare: (1 - Double.pow(beta2, t)).squareRoot() / (1 - Double.pow(beta1, t)), vCorrection: 1, epsilon: settings.epsilon,
            workers)
    }
}
