import VidTensor

/// Standardizes each feature, (N, F) -> (N, F): y = (x - mean) / standard deviation, by statistics that are learnt once, before the
/// training; Keras's `Normalization`.
///
/// Neither parameter is trained. They are `input/mean` and `input/standard_deviation`, 0 and 1 until they are learnt.
package struct Normalization: FrameLayer {
    package static let meanName = "input/mean"
    package static let deviationName = "input/standard_deviation"

    package let name = "normalization"
    package let type = "Normalization"
    package var parameterCount: Int { 2 * features }
    private let features: Int
    package let mean: ParameterID
    package let deviation: ParameterID

    package init(features: Int, _ layout: inout ParameterLayout) {
        self.features = features
        mean = layout.add(Normalization.meanName, [features], .zeros, trainable: false)
        deviation = layout.add(Normalization.deviationName, [features], .ones, trainable: false)
    }

    package var readsInput: Bool { false }

    package func outputShape(_ input: Shape) -> Shape {
        precondition(input == [features], "\(name): expected \(features) features, received \(input)")
        return input
    }

    package func forward(_ input: Tensor, into output: Tensor, _ context: Context) {
        let (mean, deviation) = (context.parameters.value(mean), context.parameters.value(deviation))
        for row in stride(from: 0, to: input.count, by: features) {
            for feature in 0..<features {
                output.base[row + feature] = (input.base[row + feature] - mean.base[feature]) / deviation.base[feature]
            }
        }
    }

    package func backward(
        _ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context
    ) {
        guard let dInput else { return }
        let deviation = context.parameters.value(deviation)
        for row in stride(from: 0, to: input.count, by: features) {
            for feature in 0..<features { dInput.base[row + feature] = dOutput.base[row + feature] / deviation.base[feature] }
        }
    }
}

/// Mean and standard deviation of each feature over vectors that come in parts.
///
/// Each part's mean and sum of squared differences are computed in double precision and merged in the order in which parts are added
/// (Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979). The standard deviation
/// is the population's, as in Keras; that of a feature with a single value is 1.
package struct FeatureStatistics: Sendable {
    private var count = 0.0
    private var means: [Double]
    private var squares: [Double]
    private var lowest: [Float]
    private var highest: [Float]

    package init(features: Int) {
        means = [Double](repeating: 0, count: features)
        squares = means
        lowest = [Float](repeating: .infinity, count: features)
        highest = [Float](repeating: -.infinity, count: features)
    }

    /// Adds vectors, (N, F) one after the other.
    package mutating func add(_ values: [Float]) {
        let features = means.count
        precondition(values.count % features == 0, "\(values.count) values in vectors of \(features)")
        let rows = values.count / features
        guard rows > 0 else { return }
        let (own, total) = (Double(rows), count + Double(rows))
        for feature in 0..<features {
            var sum = 0.0
            for row in 0..<rows {
                let value = values[row * features + feature]
                sum += Double(value)
                lowest[feature] = min(lowest[feature], value)
                highest[feature] = max(highest[feature], value)
            }
            let mean = sum / own
            var square = 0.0
            for row in 0..<rows {
                let difference = Double(values[row * features + feature]) - mean
                square += difference * difference
            }
            let difference = mean - means[feature]
            means[feature] += difference * own / total
            squares[feature] += square + difference * difference * count * own / total
        }
        count = total
    }

    /// (F).
    package var mean: [Float] { means.indices.map { lowest[$0] == highest[$0] ? lowest[$0] : Float(means[$0]) } }

    /// (F), none of them 0.
    package var standardDeviation: [Float] {
        means.indices.map {
            let deviation = count > 0 ? Float((squares[$0] / count).squareRoot()) : 0
            // Rounding leaves a feature that never changes with a tiny deviation.
            return lowest[$0] == highest[$0] || !(deviation > 0) ? 1 : deviation
        }
    }
}
