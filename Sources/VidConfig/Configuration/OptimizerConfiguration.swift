/// The optimiser and its settings, under Keras's names.
///
/// One struct for all types: settings that do not belong to `type` keep their defaults and are not used.
/// Numbers are in double precision, because 1 - beta_2 computed from a single-precision 0.999 is off by 1e-5 of itself.
package struct OptimizerConfiguration: ConfigurationValue {
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
    /// Parts of the names of parameters that do not decay, such as `bias`, `gamma` and `beta`.
    package var excludeFromWeightDecay: [String] = []
    /// Batches whose gradients make one step.
    package var gradientAccumulationSteps = 1

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

// MARK: - Table

extension OptimizerConfiguration {
    /// Each setting and the types it belongs to.
    private static let fields: [(field: ConfigurationField<Self>, types: [OptimizerType])] = [
        (.init("learning_rate", \.learningRate, .number(.above(0)), "Step size."), OptimizerType.allCases),
        (.init("beta_1", \.beta1, .number(.share), "Decay of the gradient's moving mean."), [.nadam, .adam]),
        (.init("beta_2", \.beta2, .number(.share), "Decay of the squared gradient's moving mean."), [.nadam, .adam]),
        (
            .init(
                "epsilon", \.epsilon, .number(.above(0)),
                "Keeps the denominator above 0. nadam: sqrt(v / (1 - beta_2^t)) + epsilon; adam: sqrt(v) + epsilon; rmsprop: sqrt(v + epsilon), where 1e-8 acts like 1e-4 in the others."
            ), [.nadam, .adam, .rmsprop]
        ),
        (
            .init(
                "schedule_decay", \.scheduleDecay, .number(.atLeast(0)),
                "Decay in the momentum schedule beta_1 (1 - 0.5 * 0.96^(t * schedule_decay))."),
            [.nadam]
        ),
        (.init("momentum", \.momentum, .number(.share), "Share of the last step that is kept."), [.sgd]),
        (.init("nesterov", \.nesterov, .boolean, "Nesterov's momentum."), [.sgd]),
        (.init("rho", \.rho, .number(.share), "Decay of the squared gradient's moving mean."), [.rmsprop]),
        (
            .init("clip_norm", \.clipNorm, .nullable(.number(.above(0))), "Largest norm of the gradient over all parameters; null: any."),
            OptimizerType.allCases
        ),
        (
            .init(
                "weight_decay", \.weightDecay, .number(.atLeast(0)),
                "Each step first multiplies every trained weight by 1 - learning_rate * weight_decay: biases, gamma and beta too, unless exclude_from_weight_decay names them."
            ), OptimizerType.allCases
        ),
        (
            .init(
                "exclude_from_weight_decay", \.excludeFromWeightDecay,
                .list(of: .text("a part of a parameter's name, such as \"bias\""), "an array of parts of parameters' names"),
                "Parameters whose names contain one of these do not decay, such as [\"bias\", \"gamma\", \"beta\"]."),
            OptimizerType.allCases
        ),
        (
            .init(
                "gradient_accumulation_steps", \.gradientAccumulationSteps, .integer(1...65536),
                "Batches that make one step: as one batch of all their clips, in the memory of one."),
            OptimizerType.allCases
        ),
    ]

    package static var codec: ConfigurationCodec<Self> {
        .union(
            tag: "type", defaultWord: OptimizerConfiguration().type.rawValue,
            variants: OptimizerType.allCases.map { type in
                ConfigurationVariant(
                    type.rawValue, type.documentation, initial: OptimizerConfiguration(type: type),
                    fields: fields.filter { $0.types.contains(type) }.map(\.field))
            },
            word: { $0.type.rawValue })
    }
}

extension OptimizerType {
    fileprivate var documentation: String {
        switch self {
        case .nadam: "Adam with Nesterov's momentum and Keras's momentum schedule."
        case .adam: "Adaptive moments."
        case .sgd: "Stochastic gradient descent."
        case .rmsprop: "Gradients divided by their root mean square."
        }
    }
}
