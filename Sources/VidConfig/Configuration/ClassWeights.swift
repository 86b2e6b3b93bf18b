import VidSystem

/// The factor of a clip's loss, by its class.
package enum ClassWeights: ConfigurationValue {
    /// Every clip counts 1.
    case none
    /// Clips / (classes x clips of the class), as scikit-learn's `balanced`.
    case balanced
    /// A weight per label, in the order given; labels that are not named count 1. A weight of 0 takes the class out of the loss.
    case byLabel([LabelWeight])

    package struct LabelWeight: Sendable, Equatable {
        package let label: String
        package let weight: Double

        package init(label: String, weight: Double) {
            self.label = label
            self.weight = weight
        }
    }

    package static var codec: ConfigurationCodec<ClassWeights> {
        let summary = "\"balanced\", an object that gives labels a weight from 0 to 1000000, or null"
        let schema: JSONNode = [
            "anyOf": [
                ["enum": ["balanced"]],
                ["type": "object", "additionalProperties": ["type": "number", "minimum": 0, "maximum": 1_000_000]], ["type": "null"],
            ]
        ]
        return ConfigurationCodec(.leaf(schema: schema, summary: summary)) { node, path throws(ConfigurationFault) in
            if node.isNull { return .none }
            if node.stringValue == "balanced" { return .balanced }
            guard let members = node.objectMembers else { throw .mismatch(path, expected: summary, found: node) }
            let weight = ConfigurationCodec<Double>.number(NumberBounds(from: 0, to: 1_000_000))
            var weights: [LabelWeight] = []
            for member in members {
                weights.append(LabelWeight(label: member.key, weight: try weight.decode(member.value, path.appending(member.key))))
            }
            return .byLabel(weights)
        } encode: { weights in
            switch weights {
            case .none: .null
            case .balanced: .string("balanced")
            case .byLabel(let weights): .object(weights.map { ($0.label, .number($0.weight)) })
            }
        }
    }
}
