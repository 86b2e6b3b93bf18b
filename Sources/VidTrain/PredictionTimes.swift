/// The time that each part of predictions takes, for measurements.
package final class PredictionTimes {
    package enum Part: Sendable {
        /// From the bytes of frames to the network's input.
        case convert
        /// The CNN.
        case encode
        /// Everything behind the CNN.
        case head
    }

    private var times: [Part: Duration] = [:]

    package init() {}

    package func seconds(_ part: Part) -> Double { (times[part] ?? .zero) / .seconds(1) }

    func measure<Result>(_ part: Part, _ body: () -> Result) -> Result {
        let start = ContinuousClock.now
        defer { times[part, default: .zero] += ContinuousClock.now - start }
        return body()
    }
}
