import VidConfig
import VidTensor

/// A rule by which gradients change weights, with the settings of a configuration.
protocol OptimizerRule: Sendable {
    init(_ settings: OptimizerConfiguration)

    /// Names of the moments that the rule keeps of each weight.
    var slots: [String] { get }

    /// Updates the scalars at the start of a step; `state.step` is 1 in the first one.
    func advance(_ state: inout OptimizerState)

    /// Applies the rule to a contiguous range of weights. `slot(i)` is the same range of the i-th moment.
    func update(
        _ run: OptimizerUpdate.Run, _ slot: (Int) -> Tensor, _ state: OptimizerState, _ common: OptimizerUpdate.Common, _ workers: Workers)
}

extension OptimizerRule {
    func advance(_ state: inout OptimizerState) {}
}

/// The scalars that an optimizer keeps from step to step besides its slots; part of a checkpoint's state.
package struct OptimizerState: Sendable, Equatable, Codable {
    /// Steps taken.
    package var step = 0
    /// Nadam's running product of mu_1 ... mu_step.
    package var momentumSchedule = 1.0

    package init() {}

    private enum CodingKeys: String, CodingKey {
        case step
        case momentumSchedule = "m_schedule"
    }
}
