/// Everything one training run depends on: the content of a config file with every default filled in.
///
/// Each default stands once, at the property it belongs to; an empty JSON object gives `RunConfiguration()`.
package struct RunConfiguration: Sendable, Equatable, Codable {
    /// Seed of every random number of the run: initial weights, split, order, dropout, sampling.
    package var seed: UInt64 = 1
    package var model = ModelConfiguration()
    package var optimizer = OptimizerConfiguration()
    package var data = DataConfiguration()
    package var training = TrainingConfiguration()
    package var output = OutputConfiguration()

    package init() {}
}
