import RealModule

/// A linear axis with round tick values.
package struct Axis {
    private let low: Double
    private let high: Double
    /// The coordinates of `low` and `high`.
    let start: Double
    let end: Double
    package let ticks: [Double]
    private let digits: Int

    /// - Parameters:
    ///   - values: the values to cover.
    ///   - count: the approximate number of ticks.
    ///   - isWhole: only whole numbers get ticks.
    package init(_ values: some Sequence<Double>, from start: Double, to end: Double, ticks count: Int = 4, isWhole: Bool = false) {
        let finite = values.filter(Axis.canShow)
        var (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
        if high - low < 1e-12 * max(1, abs(high)) {
            // A single value gets some room on both sides.
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

    /// The smallest of 1, 2 and 5 times a power of ten that is not below `step`.
    private static func roundStep(_ step: Double, isWhole: Bool) -> Double {
        guard step > 0, step.isFinite else { return 1 }
        let scale = Double.pow(10, Double.log10(step).rounded(.down))
        let rounded = ([1.0, 2, 5, 10].first { $0 * scale >= step * 0.999 } ?? 10) * scale
        return isWhole ? max(1, rounded) : rounded
    }

    /// Whether a value can be drawn: it is finite, and small enough that steps between ticks are not rounded away.
    static func canShow(_ value: Double) -> Bool { value.isFinite && abs(value) < 1e15 }

    package func position(_ value: Double) -> Double { start + (value - low) / (high - low) * (end - start) }

    package func label(_ value: Double) -> String {
        let text = Formatting.fixed(value, digits)
        return text.contains(".") && digits > 4 ? Markup.number(value * 1e4) + "e-4" : text
    }
}

/// The axes of a panel of curves over the epochs.
struct EpochAxes {
    let horizontal: Axis
    private let vertical: Axis
    let top: Double
    let bottom: Double
    let middle: Double

    /// - Parameters:
    ///   - epochs, values: the values to cover.
    ///   - left, right, top, bottom: the edges of the field of curves in the picture.
    init(epochs: [Double], values: [Double], left: Double, right: Double, top: Double, bottom: Double) {
        horizontal = Axis(epochs, from: left, to: right, ticks: 6, isWhole: true)
        vertical = Axis(values, from: bottom, to: top, ticks: 4)
        (self.top, self.bottom, middle) = (top, bottom, (left + right) / 2)
    }

    /// Draws the title, which begins at `x`, and the ticks.
    func draw(on picture: inout Picture, _ title: String, x: Double) {
        let muted = picture.palette.muted
        picture.text(title, x: x, y: 22, size: 15, isBold: true)
        for tick in vertical.ticks {
            let y = vertical.position(tick)
            picture.line(horizontal.start, y, horizontal.end, y)
            picture.text(vertical.label(tick), x: horizontal.start - 7, y: y + 4, anchor: .end, fill: muted)
        }
        for tick in horizontal.ticks {
            picture.text(horizontal.label(tick), x: horizontal.position(tick), y: bottom + 17, anchor: .middle, fill: muted)
        }
        picture.text("epoch", x: middle, y: bottom + 34, anchor: .middle, fill: muted)
    }

    /// Draws a curve of (epoch, value); each point is marked if there are few.
    func draw(_ points: [(Double, Double)], on picture: inout Picture, _ color: String, dash: String?, _ mark: Picture.Mark) {
        let places = points.map { (x: horizontal.position($0.0), y: vertical.position($0.1)) }
        if places.count > 1 { picture.polyline(places, stroke: color, dash: dash) }
        if places.count <= 25 { for place in places { picture.mark(mark, x: place.x, y: place.y, size: 3, fill: color) } }
    }
}
