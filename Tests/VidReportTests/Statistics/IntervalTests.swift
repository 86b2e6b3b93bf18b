import Testing
import VidReport
import VidTrain

@Suite struct IntervalTests {
    /// Against SciPy's `binomtest(...).proportion_ci(method="wilson")`.
    @Test func wilson() throws {
        for (hits, trials, low, high) in [
            (23, 24, 0.797582, 0.992607), (0, 10, 0.0, 0.277533), (10, 10, 0.722467, 1.0), (5, 10, 0.236593, 0.763407),
        ] {
            let interval = try #require(Interval.wilson(hits, of: trials))
            #expect(abs(interval.low - low) <= 5e-7 && abs(interval.high - high) <= 5e-7, "\(hits) of \(trials): \(interval)")
        }
        #expect(Interval.wilson(0, of: 0) == nil)
    }

    /// Wilson's interval of 8 of 10, 0.490162 to 0.943318, as 2 s / (1 + s).
    @Test func f1() throws {
        let interval = try #require(Interval.f1(hits: 8, of: 10))
        #expect(abs(interval.low - 0.657864) <= 5e-7 && abs(interval.high - 0.970832) <= 5e-7, "\(interval)")
        #expect(Interval.f1(hits: 0, of: 0) == nil)
    }

    /// numpy.percentile([...], [2.5, 97.5]).
    @Test func percentiles() throws {
        let interval = try #require(Interval.percentile([5, 1, 2, 4, 3]))
        #expect(abs(interval.low - 1.1) <= 1e-12 && abs(interval.high - 4.9) <= 1e-12)
        #expect(Interval.percentile((0...1000).map(Double.init)) == Interval(25, 975))
        #expect(Interval.percentile([2, 2, 2]) == nil && Interval.percentile([]) == nil)
    }

    @Test func shares() {
        #expect(Measure(3, of: 4).value == 0.75 && Measure(3, of: 4).interval == .wilson(3, of: 4))
        #expect(Measure(0, of: 0) == Measure(0, nil))
    }

    /// The mean of 100 zeros and ones has a standard error of 0.05: percentiles of 1000 resamples are within 0.02 of 1.96 of them.
    @Test func bootstrapOfAMean() throws {
        func interval() throws -> Interval {
            let intervals = Bootstrap.intervals(clips: 100, count: 2) { drawn, values in
                values[0] = Double(drawn.count { $0 % 2 == 0 }) / Double(drawn.count)
                values[1] = Double(drawn.count)
            }
            #expect(intervals.count == 2 && intervals[1] == nil)
            return try #require(intervals[0])
        }
        let first = try interval()
        #expect(abs(first.low - 0.402) <= 0.02 && abs(first.high - 0.598) <= 0.02, "\(first)")
        #expect(try interval() == first)
        #expect(Bootstrap.intervals(clips: 0, count: 3) { _, _ in } == [nil, nil, nil])
    }

    /// 2 (1 + 12 + 66) / 4096, and 2 / 32.
    @Test func mcNemarByHand() {
        #expect(abs(McNemar(onlyFirst: 10, onlySecond: 2).pValue - 0.038574218750) <= 1e-12)
        #expect(abs(McNemar(onlyFirst: 0, onlySecond: 5).pValue - 0.0625) <= 1e-12)
        #expect(McNemar(onlyFirst: 3, onlySecond: 3).pValue == 1)
        #expect(zip(Holm.adjusted([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]).allSatisfy { abs($0 - $1) <= 1e-12 })
    }
}

@Suite struct CalibrationTests {
    @Test func scoresOnTheEdgeOfABinBelongToTheLowerOne() {
        #expect(Calibration.bin(of: 0) == 0)
        #expect(Calibration.bin(of: 0.5) == 4)
        #expect(Calibration.bin(of: 0.5000001) == 5)
        #expect(Calibration.bin(of: 1) == 9)
    }

    /// Two clips of 0.9 with one right and two of 0.6 with both right: (|1 - 1.8| + |2 - 1.2|) / 4.
    @Test func expectedErrorByHand() {
        var calibration = Calibration()
        for (confidence, isCorrect) in [(0.9, true), (0.9, false), (0.6, true), (0.6, true)] {
            calibration.add(confidence: confidence, bin: Calibration.bin(of: confidence), isCorrect: isCorrect)
        }
        #expect(abs(calibration.expectedError - 0.4) <= 1e-12)
        #expect(calibration.bins[8].accuracy == 0.5 && abs(calibration.bins[5].confidence - 0.6) <= 1e-12)
        calibration.removeAll()
        #expect(calibration.expectedError == 0 && calibration.bins.allSatisfy { $0.clips == 0 })
    }
}

@Suite struct ClassCountsTests {
    /// Three classes, the last neither a label nor an answer.
    @Test func metricsByHand() {
        var counts = ClassCounts(classes: 3)
        for (label, answer) in [(0, 0), (0, 0), (0, 0), (0, 1), (1, 1), (1, 1), (1, 0), (1, 0)] {
            counts.add(label: label, decision: answer)
        }
        #expect(counts.precision(0) == 0.6 && counts.recall(0) == 0.75 && abs(counts.f1(0) - 6.0 / 9) <= 1e-15)
        #expect(abs(counts.precision(1) - 2.0 / 3) <= 1e-15 && counts.recall(1) == 0.5 && abs(counts.f1(1) - 4.0 / 7) <= 1e-15)
        #expect(counts.precision(2) == 0 && counts.recall(2) == 0 && counts.f1(2) == 0)
        #expect(abs(counts.macro.f1 - (6.0 / 9 + 4.0 / 7) / 2) <= 1e-15)
        #expect(abs(counts.macro.precision - (0.6 + 2.0 / 3) / 2) <= 1e-15)
        #expect(counts.balancedAccuracy == 0.625 && counts.weighted.recall == 0.625)
    }
}
