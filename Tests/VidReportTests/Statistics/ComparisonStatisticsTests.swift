import Foundation
import Testing
import VidConfig
import VidReport
import VidSystem

/// Against statsmodels and SciPy.
@Suite struct ComparisonStatisticsTests {
    private func golden(_ key: String) throws -> [JSONNode] {
        let bytes = [UInt8](try Data(contentsOf: Bundle.module.bundleURL.appending(path: "Goldens/comparison.json")))
        return try #require(JSONParser.parse(bytes)[key]?.arrayElements)
    }

    @Test func exactMcNemarIsStatsmodels() throws {
        let cases = try golden("mcnemar")
        #expect(cases.count == 17)
        for entry in cases {
            let first = try #require(entry["only_first"]?.intValue)
            let second = try #require(entry["only_second"]?.intValue)
            let expected = try #require(entry["p"]?.doubleValue)
            // Sums of logarithms of up to 100,500 factors: some 1e5 roundings of values below 1e5, so 1e-10 and better in the sum.
            let p = McNemar(onlyFirst: first, onlySecond: second).pValue
            #expect(abs(p - expected) <= 1e-9 * expected, "\(first), \(second): \(p), expected \(expected)")
            #expect(p == McNemar(onlyFirst: second, onlySecond: first).pValue)
        }
    }

    @Test func holmIsStatsmodels() throws {
        let cases = try golden("holm")
        #expect(cases.count == 7)
        for entry in cases {
            let values = try #require(entry["p"]?.arrayElements).compactMap(\.doubleValue)
            let expected = try #require(entry["adjusted"]?.arrayElements).compactMap(\.doubleValue)
            let adjusted = Holm.adjusted(values)
            #expect(adjusted.count == expected.count)
            // One product and no more.
            for (a, b) in zip(adjusted, expected) { #expect(abs(a - b) <= 1e-14) }
        }
        #expect(Holm.adjusted([]) == [])
    }
}
