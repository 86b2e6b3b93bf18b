/// The axes of a panel of curves over the epochs, and curves laid on them.
struct EpochAxes {
    let across: Axis
    let up: Axis
    let top: Double
    let bottom: Double
    private let left: Double
    private let right: Double

    /// - Parameters:
    ///   - epochs, values: what must find a place.
    ///   - left, right, top, bottom: where in the picture the curves' field ends.
    init(epochs: [Double], values: [Double], left: Double, right: Double, top: Double, bottom: Double) {
        across = Axis(epochs, from: left, to: right, ticks: 6, isWhole: true)
        up = Axis(values, from: bottom, to: top, ticks: 4)
        (self.left, self.right, self.top, self.bottom) = (left, right, top, bottom)
    }

    /// Where the field's middle is.
    var middle: Double { (left + right) / 2 }

    /// Draws the title, which begins at `x`, and the marked numbers.
    func draw(on picture: inout Picture, _ title: String, x: Double) {
        let muted = picture.palette.muted
        picture.text(title, x: x, y: 22, size: 15, isBold: true)
        for tick in up.ticks {
            picture.line(left, up.position(tick), right, up.position(tick))
            picture.text(up.label(tick), x: left - 7, y: up.position(tick) + 4, anchor: .end, fill: muted)
        }
        for tick in across.ticks {
            picture.text(across.label(tick), x: across.position(tick), y: bottom + 17, anchor: .middle, fill: muted)
        }
        picture.text("epoch", x: middle, y: bottom + 34, anchor: .middle, fill: muted)
    }

    /// Draws a curve of (epoch, value); where there are few, each of its points is marked.
    func draw(_ points: [(Double, Double)], on picture: inout Picture, _ color: String, dash: String?, _ mark: Picture.Mark) {
        let places = points.map { (x: across.position($0.0), y: up.position($0.1)) }
        if places.count > 1 { picture.polyline(places, stroke: color, dash: dash) }
        if places.count <= 25 { for place in places { picture.mark(mark, x: place.x, y: place.y, size: 3, fill: color) } }
    }
}
