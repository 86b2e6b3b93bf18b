import Testing
import VidReport

@Suite struct AxisTests {
    @Test(arguments: [
        ([0.0, 1], ["0.0", "0.5", "1.0"]), ([0.13, 0.94], ["0.0", "0.5", "1.0"]), ([0, 100], ["0", "50", "100"]),
        ([0.4312, 0.4389], ["0.430", "0.432", "0.434", "0.436", "0.438", "0.440"]), ([-3, 7], ["-5", "0", "5", "10"]),
    ])
    func ticksAreRoundNumbersAroundTheValues(values: [Double], labels: [String]) {
        let axis = Axis(values, from: 0, to: 100)
        #expect(axis.ticks.map(axis.label) == labels)
        #expect(axis.position(axis.ticks[0]) == 0 && abs(axis.position(axis.ticks.last ?? 0) - 100) <= 1e-9)
        for value in values { #expect((0...100).contains(axis.position(value))) }
    }

    @Test(arguments: [1, 2, 7, 20, 300, 99_999]) func epochsAreWholeNumbers(last: Int) {
        let axis = Axis([1, Double(last)], from: 10, to: 20, ticks: 6, isWhole: true)
        #expect(axis.ticks.allSatisfy { $0 == $0.rounded() } && Set(axis.ticks).count == axis.ticks.count)
        #expect((1...10).contains(axis.ticks.count), "\(axis.ticks)")
        #expect(axis.position(1) <= axis.position(Double(last)))
    }

    @Test(arguments: [[], [0.0], [5], [-5], [1e-300], [1e14], [.nan, .infinity], [.nan, 2], [1e15, 1]] as [[Double]])
    func oddValuesStillMakeAnAxis(values: [Double]) {
        let axis = Axis(values, from: 0, to: 100)
        #expect(!axis.ticks.isEmpty && axis.ticks.allSatisfy { axis.position($0).isFinite })
        #expect(axis.ticks.count <= 12)
    }

    /// The vertical axis of a picture runs upwards.
    @Test func axesMayRunBackwards() {
        let axis = Axis([0, 10], from: 200, to: 100, ticks: 2)
        #expect(axis.position(0) == 200 && axis.position(10) == 100 && axis.position(5) == 150)
    }

    @Test func tinyNumbersHaveAPower() {
        let axis = Axis([1e-6, 3e-6], from: 0, to: 1)
        #expect(axis.label(2e-6) == "0.02e-4")
    }
}
