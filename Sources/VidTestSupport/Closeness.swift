/// The largest difference between two lists of numbers, relative to the largest expected number; the measure of DESIGN's
/// accuracy promises. NaN where either list holds a NaN, infinity where the counts differ, so that
/// `#expect(relativeError(a, b) <= tolerance)` fails on both.
package func relativeError(_ found: some Collection<Float>, _ expected: some Collection<Double>) -> Double {
    guard found.count == expected.count else { return .infinity }
    var largestDifference = 0.0
    var largestExpected = 0.0
    for (f, e) in zip(found, expected) {
        let difference = abs(Double(f) - e)
        if difference.isNaN { return .nan }
        largestDifference = max(largestDifference, difference)
        largestExpected = max(largestExpected, abs(e))
    }
    if largestDifference == 0 { return 0 }
    return largestDifference / max(largestExpected, .leastNormalMagnitude)
}

package func relativeError(_ found: some Collection<Float>, _ expected: some Collection<Float>) -> Double {
    relativeError(found, expected.map(Double.init))
}
