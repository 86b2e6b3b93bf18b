import VidSystem

/// The recall and precision of the classes with their intervals, the lowest F1 first.
package struct ClassPlot {
    /// The most classes that are drawn; the others have a higher F1.
    package static let most = 30

    private let classes: [EvaluationMetrics.PerClass]
    private let hidden: Int
    private let palette: Palette

    package init(_ metrics: EvaluationMetrics, palette: Palette) {
        let known = metrics.perClass.filter { $0.support > 0 }
        classes = Array(known.enumerated().sorted { ($0.1.f1.value, $0.0) < ($1.1.f1.value, $1.0) }.map(\.1).prefix(ClassPlot.most))
        hidden = known.count - classes.count
        self.palette = palette
    }

    package var picture: Picture {
        let names = classes.map { $0.label.printable.shortened(toColumns: 20) }
        let left = Double(names.map(\.columns).max() ?? 0) * 7.4 + 26
        let (right, top, row) = (left + 250, 62.0, 26.0)
        let bottom = top + row * Double(classes.count)
        var picture = Picture(
            width: max(right + 24, 330), height: bottom + 34, title: "Recall and precision of the classes",
            summary: classes.map {
                "\($0.label): recall \(Formatting.fixed($0.recall.value * 100, 0)) %, precision \(Formatting.fixed($0.precision.value * 100, 0)) %."
            }.joined(separator: " "), palette: palette)
        picture.text(
            hidden == 0 ? "Classes, weakest first" : "The \(classes.count) weakest classes", x: 12, y: 22, size: 15, isBold: true)
        picture.mark(.circle, x: 18, y: 41, fill: palette.first)
        picture.text("recall", x: 28, y: 45)
        picture.mark(.diamond, x: 88, y: 41, fill: palette.second)
        picture.text("precision, with 95 % intervals", x: 98, y: 45)
        let x = Axis([0, 1], from: left, to: right, ticks: 4)
        for tick in x.ticks {
            picture.line(x.position(tick), top, x.position(tick), bottom)
            picture.text(
                "\(Formatting.fixed(tick * 100, 0))\(tick == 1 ? " %" : "")", x: x.position(tick), y: bottom + 18, anchor: .middle,
                fill: palette.muted)
        }
        for (place, entry) in classes.enumerated() {
            let middle = top + row * (Double(place) + 0.5)
            picture.text(names[place], x: left - 10, y: middle + 4, anchor: .end)
            for (measure, color, mark, shift) in [
                (entry.recall, palette.first, Picture.Mark.circle, -4.5), (entry.precision, palette.second, .diamond, 4.5),
            ] {
                guard let interval = measure.interval else { continue }
                picture.line(
                    x.position(interval.low), middle + shift, x.position(interval.high), middle + shift, stroke: color, width: 2)
                picture.mark(mark, x: x.position(measure.value), y: middle + shift, size: 3.5, fill: color)
            }
        }
        return picture
    }
}
