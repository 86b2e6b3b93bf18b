import RealModule

/// Numbers laid along a line: from a value to a coordinate, with round numbers marked.
struct Axis {
    let low: Double
    let high: Double
    /// Where `low` and `high` stand.
    let start: Double
    let end: Double
    let ticks: [Double]
    private let digits: Int

    /// - Parameters:
    ///   - values: what must find a place.
    ///   - count: about how many numbers to mark.
    ///   - isWhole: whether only whole numbers are marked.
    init(_ values: some Sequence<Double>, from start: Double, to end: Double, ticks count: Int = 4, isWhole: Bool = false) {
        let finite = values.filter(Axis.canShow)
        var (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
        if high - low < 1e-12 * max(1, abs(high)) {
            // One value only: some room about it.
            let room = isWhole ? 1 : max(abs(high) * 0.1, 1e-9)
            (low, high) = (low - (isWhole || low > 0 ? min(room, isWhole ? room : low) : room), high + room)
        }
        let step = Axis.roundStep((high - low) / Double(max(count, 1)), isWhole: isWhole)
        self.low = isWhole ? low : (low / step + 1e-9).rounded(.down) * step
        self.high = isWhole ? high : (high / step - 1e-9).rounded(.up) * step
        self.start = start
        self.end = end
        let first = Int((self.low / step - 1e-9).rounded(.up))
        let last = Int((self.high / step + 1e-9).rounded(.down))
        ticks = first <= last ? (first...last).map { Double($0) * step } : [self.low]
        digits = step >= 1 ? 0 : min(9, Int((-Double.log10(step) + 0.3).rounded(.up)))
    }

    /// 1, 2 or 5 times a power of ten, not below `step`.
    private static func roundStep(_ step: Double, isWhole: Bool) -> Double {
        guard step > 0, step.isFinite else { return 1 }
        let scale = Double.pow(10, Double.log10(step).rounded(.down))
        let rounded = ([1.0, 2, 5, 10].first { $0 * scale >= step * 0.999 } ?? 10) * scale
        return isWhole ? max(1, rounded) : rounded
    }

    /// Whether a value can be drawn: it is a number, and not so large that steps between such numbers are lost.
    static func canShow(_ value: Double) -> Bool { value.isFinite && abs(value) < 1e15 }

    func position(_ value: Double) -> Double { start + (value - low) / (high - low) * (end - start) }

    func label(_ value: Double) -> String {
        let text = Formatting.fixed(value, digits)
        return text.contains(".") && digits > 4 ? Markup.number(value * 1e4) + "e-4" : text
    }
}
