import CKernels
import CReferenceKernels
import Testing
import VidTensor
import VidTestSupport

@Suite struct ReductionTests {
    @Test(arguments: oddCounts + [100_000])
    func sumOfSquares(_ count: Int) {
        var tensors = TestTensors(seed: 10)
        let x = tensors.uniform([count])
        let expected = vc_reference_sum_of_squares(count, doubles(x))
        let sums = threadCounts.map { Reductions.sumOfSquares(x, Workers(count: $0)) }
        // Double-precision sums in two orders.
        #expect(abs(sums[0] - expected) <= 1e-12 * expected)
        #expect(sums.allSatisfy { $0 == sums[0] }, "the same bits at any thread count")
    }

    @Test func sumOfSquaresShowsWhatIsNotFinite() {
        var tensors = TestTensors(seed: 11)
        let x = tensors.uniform([1000])
        x.base[999] = .nan
        #expect(Reductions.sumOfSquares(x, Workers(count: 1)).isNaN)
        x.base[999] = -.infinity
        #expect(Reductions.sumOfSquares(x, Workers(count: 1)) == .infinity)
        x.fill(.greatestFiniteMagnitude)
        #expect(Reductions.sumOfSquares(x, Workers(count: 1)).isFinite)
    }

    @Test(arguments: [(1, 1), (3, 17), (40, 130), (7, 1000)])
    func columnSumsAreAdded(_ rows: Int, _ columns: Int) {
        var tensors = TestTensors(seed: 12)
        let x = tensors.uniform([rows, columns])
        let out = tensors.uniform([columns])
        var expected = [Double](repeating: 0, count: columns)
        vc_reference_column_sums(rows, columns, doubles(x), [Double](repeating: 1, count: rows), 1, &expected)
        for column in 0..<columns { expected[column] += Double(out.base[column]) }
        Reductions.addColumnSums(x, to: out, Workers(count: 2))
        #expect(relativeError(out.array, expected) <= 1e-6)
    }

    @Test func meanOverTimeLeavesMaskedStepsOut() {
        var tensors = TestTensors(seed: 13)
        let workers = Workers(count: 2)
        let (batch, steps, features) = (3, 5, 70)
        let x = tensors.uniform([batch, steps, features])
        let mask = tensors.zeros([batch, steps])
        mask.copy(from: [1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
        // Masked steps do not count, even if they hold NaN.
        x.base[(1 * steps + 3) * features] = .nan
        let mean = tensors.nan([batch, features])
        Reductions.meanOverTime(x, mask: mask, into: mean, workers)
        let values = x.array.map(Double.init)
        for (clip, count) in [(0, 5), (1, 2)] {
            var expected = [Double](repeating: 0, count: features)
            for step in 0..<count { for f in 0..<features { expected[f] += values[(clip * steps + step) * features + f] / Double(count) } }
            #expect(relativeError(mean.rows(clip..<clip + 1).array, expected) <= 1e-6)
        }
        #expect(mean.rows(2..<3).array.allSatisfy { $0 == 0 }, "no step counts")

        let dMean = tensors.uniform([batch, features])
        let dx = tensors.nan([batch, steps, features])
        Reductions.meanOverTimeGradient(dMean, mask: mask, into: dx, workers)
        #expect(dx.base[0] == 0.2 * dMean.base[0])
        #expect(dx.base[(steps + 1) * features + 4] == 0.5 * dMean.base[features + 4])
        #expect(dx.base[(steps + 2) * features + 4] == 0)
        #expect(dx.rows(2..<3).array.allSatisfy { $0 == 0 })
    }
}
