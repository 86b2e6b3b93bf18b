import Testing
import VidTensor
import VidTestSupport

@Suite struct ValueHistogramTests {
    private func histogram(_ values: [Float], bins: Int, threads: Int = 1) -> ValueHistogram {
        let buffer = Buffer(count: values.count)
        let tensor = buffer.tensor([values.count])
        tensor.copy(from: values)
        return withExtendedLifetime(buffer) { ValueHistogram(tensor, bins: bins, Workers(count: threads)) }
    }

    @Test func valuesFallIntoTheirBins() {
        let found = histogram([0, 0.5, 1, 1.5, 2, 2, 4], bins: 4)
        #expect((found.low, found.high) == (0, 4))
        #expect(found.counts == [2, 2, 2, 1])
        #expect(found.bins.map(\.low) == [0, 1, 2, 3] && found.bins.map(\.high) == [1, 2, 3, 4])
    }

    @Test func oneValueNoneAndThoseThatAreNotFinite() {
        #expect(histogram([3, 3, 3], bins: 30).bins.map { [$0.low, $0.high, Double($0.count)] } == [[2.5, 3.5, 3]])
        #expect(histogram([.nan, .infinity], bins: 30).counts.isEmpty)
        #expect(histogram([.nan, -1, .infinity, 1], bins: 2).counts == [1, 1])
        #expect(histogram([-.greatestFiniteMagnitude, .greatestFiniteMagnitude, 0], bins: 2).counts == [1, 2])
    }

    @Test func itDoesNotDependOnThreads() {
        let shape: Shape = [300_007]
        let buffer = Buffer(count: shape.count)
        var random = RandomGenerator(seed: 4, stream: 0)
        for index in 0..<shape.count { buffer.base[index] = Float(random.uniform()) * 2 - 1 }
        let found = (1...3).map { ValueHistogram(buffer.tensor(shape), Workers(count: $0)) }
        #expect(found[0].counts.reduce(0, +) == shape.count && found[0].counts.count == 30)
        #expect(found[1] == found[0] && found[2] == found[0])
    }
}
