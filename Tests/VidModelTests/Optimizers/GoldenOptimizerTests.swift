import Testing
import VidConfig
import VidModel
import VidTensor
import VidTestSupport

/// Every optimizer over 20 steps on given gradients: the parameters after each step against PyTorch's or Keras's; Nadam
/// against `torch.optim.NAdam(momentum_decay=0.004)`.
@Suite struct GoldenOptimizerTests {
    /// Each of twenty steps rounds a parameter by up to 6e-8 of itself and adds a term that is right to a few times that; an
    /// error of one part in 10,000 in a single term of a formula shows.
    static let tolerance = 3e-6

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let configuration: OptimizerConfiguration

        init(_ name: String, _ type: OptimizerType, _ set: (inout OptimizerConfiguration) -> Void = { _ in }) {
            self.name = name
            var configuration = OptimizerConfiguration(type: type)
            set(&configuration)
            self.configuration = configuration
        }

        var testDescription: String { name }
    }

    // Settings that are not named here are the defaults, which are those of the golden.
    static let cases = [
        Case("nadam", .nadam),
        Case("nadam_schedule", .nadam) { ($0.scheduleDecay, $0.epsilon) = (2, 1e-3) },
        Case("nadam_weight_decay", .nadam) { $0.weightDecay = 2 },
        Case("nadam_clip_norm", .nadam) { $0.clipNorm = 1.5 },
        Case("adam", .adam),
        Case("adam_epsilon", .adam) { $0.epsilon = 1e-3 },
        Case("adam_weight_decay", .adam) { $0.weightDecay = 2 },
        Case("adam_clip_norm", .adam) { $0.clipNorm = 1.5 },
        Case("sgd", .sgd) { $0.learningRate = 0.01 },
        Case("sgd_clip_norm", .sgd) { ($0.learningRate, $0.clipNorm) = (0.01, 1.5) },
        Case("sgd_momentum", .sgd) { ($0.learningRate, $0.momentum) = (0.01, 0.9) },
        Case("sgd_nesterov", .sgd) { ($0.learningRate, $0.momentum, $0.nesterov) = (0.01, 0.9, true) },
        Case("rmsprop", .rmsprop) { ($0.learningRate, $0.epsilon) = (0.001, 1e-3) },
        Case("rmsprop_momentum", .rmsprop) { ($0.learningRate, $0.epsilon, $0.momentum) = (0.001, 1e-3, 0.9) },
    ]

    @Test(arguments: cases)
    func steps(_ test: Case) throws {
        let golden = try Golden.named("optimizers")
        var layout = ParameterLayout()
        let names = ["kernel", "bias"]
        let ids = try names.map { layout.add("golden/\($0)", try golden.tensor("initial/\($0)").shape, .zeros) }
        let store = try ParameterStore(layout)
        for (name, id) in zip(names, ids) { store.value(id).copy(from: try golden.tensor("initial/\(name)")) }
        let optimizer = try Optimizer(test.configuration, store)
        var state = OptimizerState()
        let workers = Workers(count: 2)
        let gradients = try names.map { try golden.tensor("gradients/\($0)") }
        let expected = try names.map { try golden.tensor("\(test.name)/\($0)") }
        var errors = GoldenErrors()
        for step in 0..<gradients[0].shape[0] {
            for (id, gradient) in zip(ids, gradients) { store.gradient(id)?.copy(from: gradient.rows(step..<step + 1)) }
            #expect(optimizer.step(store, &state, workers))
            for ((name, id), values) in zip(zip(names, ids), expected) {
                let after = values.rows(step..<step + 1)
                errors.compare("\(name) after step \(step + 1)", store.value(id).reshaped(after.shape), after)
            }
        }
        #expect(errors.worst <= Self.tolerance, "\(errors)")
    }
}
