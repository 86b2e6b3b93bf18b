import VidTensor

/// Compares an analytic gradient with central differences of a scalar function.
///
/// `loss` is evaluated with one element of `point` moved by ±`step`; it should accumulate in double precision (a
/// weighted sum of the outputs). Returns the largest |analytic - numeric| over the sampled elements, relative to the
/// largest |numeric| among them (or to 1e-3 of the largest loss slope allowed, if all are tiny); NaN if any value is NaN.
///
/// In single precision with step h the error of a difference is about eps * |loss| / h + h^2 / 6 * |third derivative|;
/// h = 1e-2 and losses of order one give about 1e-4, hence the usual tolerance of 1e-3 to 1e-2.
package func gradientError(
    at point: Tensor, analytic: Tensor, step: Float = 1e-2, sampling count: Int = 64, seed: UInt64 = 7,
    loss: () -> Double
) -> Double {
    precondition(point.count == analytic.count, "\(point.shape) against \(analytic.shape)")
    var random = RandomGenerator(seed: seed)
    let indices = point.count <= count ? Array(0..<point.count) : Array(random.permutation(point.count).prefix(count))
    var largestDifference = 0.0
    var largestNumeric = 1e-4
    for index in indices {
        let value = point.base[index]
        point.base[index] = value + step
        let above = loss()
        let high = Double(point.base[index])
        point.base[index] = value - step
        let below = loss()
        let low = Double(point.base[index])
        point.base[index] = value
        let numeric = (above - below) / (high - low)
        let difference = abs(numeric - Double(analytic.base[index]))
        if difference.isNaN { return .nan }
        largestDifference = max(largestDifference, difference)
        largestNumeric = max(largestNumeric, abs(numeric))
    }
    return largestDifference / largestNumeric
}

/// The sum of `outputs` weighted by `weights`, in double precision: a scalar whose gradient in the outputs is `weights`.
package func weightedSum(_ outputs: Tensor, _ weights: Tensor) -> Double {
    var sum = 0.0
    for i in 0..<outputs.count { sum += Double(outputs.base[i]) * Double(weights.base[i]) }
    return sum
}
