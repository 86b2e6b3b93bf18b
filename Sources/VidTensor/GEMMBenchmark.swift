/// The speed of matrix multiplication on this machine, the yardstick of everything else.
package struct GEMMBenchmark: Sendable, Equatable {
    /// GFLOP/s of one thread alone.
    package let oneThread: Double
    /// GFLOP/s of all workers together, each doing its own multiplications.
    package let allThreads: Double
    package let threads: Int

    /// Multiplies square matrices of `size` for about `seconds` on one thread, then for as long on all workers; reports
    /// the fastest round of each.
    ///
    /// - Throws: `.other` if memory runs out.
    package static func run(workers: Workers, size: Int = 1024, seconds: Double = 0.5) throws -> GEMMBenchmark {
        precondition(size > 0 && seconds > 0, "matrices of \(size) for \(seconds) s")
        let matrices = try Buffer(allocating: workers.count * 3 * size * size)
        var random = RandomGenerator(seed: 1)
        for i in 0..<matrices.count { matrices.base[i] = random.uniform(-1, 1) }
        func multiply(_ worker: Int) {
            let a = matrices.base + worker * 3 * size * size
            BLAS.gemm(m: size, n: size, k: size, a: a, lda: size, b: a + size * size, ldb: size, c: a + 2 * size * size, ldc: size)
        }
        let flops = 2 * Double(size) * Double(size) * Double(size)
        let one = fastest(seconds) { multiply(0) }
        let rounds = workers.count == 1 ? 1 : 4 * workers.count
        let all = workers.count == 1 ? one : fastest(seconds) { workers.forEach(rounds) { _, worker in multiply(worker) } }
        return GEMMBenchmark(oneThread: flops / one / 1e9, allThreads: flops * Double(rounds) / all / 1e9, threads: workers.count)
    }

    /// The shortest time of a call in seconds: after one warm-up call, `body` is called as often as fits in `seconds`, but at
    /// least three times.
    package static func fastest(_ seconds: Double, _ body: () -> Void) -> Double {
        body()
        let clock = ContinuousClock()
        let start = clock.now
        var best = Duration.seconds(1_000_000)
        var calls = 0
        while calls < 3 || clock.now - start < .seconds(seconds) {
            best = min(best, clock.measure(body))
            calls += 1
        }
        return best / .seconds(1)
    }
}
