import Testing
import VidTensor

@Suite struct GEMMBenchmarkTests {
    @Test func figuresArePositiveAndFinite() throws {
        let result = try GEMMBenchmark.run(workers: Workers(count: 2), size: 64, seconds: 0.01)
        #expect(result.oneThread > 0 && result.oneThread.isFinite)
        #expect(result.allThreads > 0 && result.allThreads.isFinite)
        #expect(result.threads == 2)
    }
}
