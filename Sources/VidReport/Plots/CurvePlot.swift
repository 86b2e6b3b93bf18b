/// How a training went, epoch by epoch: loss, accuracy and learning rate, each a panel of its own.
package struct CurvePlot {
    /// One epoch; nil where there was no validation part.
    package struct Epoch: Sendable, Equatable {
        package var epoch: Int
        package var seconds: Double
        package var trainLoss: Double
        package var trainAccuracy: Double
        package var validationLoss: Double?
        package var validationAccuracy: Double?
        package var learningRate: Double

        package init(
            epoch: Int, seconds: Double, trainLoss: Double, trainAccuracy: Double, validationLoss: Double?, validationAccuracy: Double?,
            learningRate: Double
        ) {
            self.epoch = epoch
            self.seconds = seconds
            self.trainLoss = trainLoss
            self.trainAccuracy = trainAccuracy
            self.validationLoss = validationLoss
            self.validationAccuracy = validationAccuracy
            self.learningRate = learningRate
        }
    }

    private let epochs: [Epoch]
    private let best: Int?
    private let palette: Palette

    private static let width = 420.0
    private static let height = 280.0

    /// - Parameter best: the best epoch's number.
    package init(_ epochs: [Epoch], best: Int?, palette: Palette) {
        self.epochs = epochs
        self.best = best
        self.palette = palette
    }

    /// Loss, accuracy, learning rate.
    package var panels: [Picture] {
        [
            panel("Loss", \.trainLoss, \.validationLoss, digits: 3),
            panel("Accuracy", \.trainAccuracy, \.validationAccuracy, digits: 3),
            panel("Learning rate", \.learningRate, nil, digits: 6),
        ]
    }

    /// All panels in one row: `results.svg`.
    package var row: Picture {
        let panels = panels
        var picture = Picture(
            width: CurvePlot.width * Double(panels.count), height: CurvePlot.height, title: "Training curves",
            summary: panels.map { "\($0.title): \($0.summary)" }.joined(separator: " "), palette: palette)
        for (place, panel) in panels.enumerated() { picture.add(panel, x: Double(place) * CurvePlot.width, y: 0) }
        return picture
    }

    private func panel(
        _ title: String, _ train: KeyPath<Epoch, Double>, _ validation: KeyPath<Epoch, Double?>?, digits: Int
    ) -> Picture {
        let trained = epochs.map { (Double($0.epoch), $0[keyPath: train]) }.filter { Axis.canShow($0.1) }
        let validated =
            validation.map { path in
                epochs.compactMap { epoch in epoch[keyPath: path].map { (Double(epoch.epoch), $0) } }.filter { Axis.canShow($0.1) }
            } ?? []
        let isRate = validation == nil
        var picture = Picture(
            width: CurvePlot.width, height: CurvePlot.height, title: title,
            summary: CurvePlot.summary(isRate ? "learning rate" : "training", trained, digits)
                + (validated.isEmpty ? "" : " " + CurvePlot.summary("validation", validated, digits))
                + (best.map { " The best epoch is \($0)." } ?? ""),
            palette: palette)
        let (left, right, top, bottom) = (58.0, CurvePlot.width - 18, 44.0, CurvePlot.height - 40)
        let x = Axis(epochs.map { Double($0.epoch) }, from: left, to: right, ticks: 6, isWhole: true)
        let y = Axis((trained + validated).map(\.1) + (isRate ? [0] : []), from: bottom, to: top, ticks: 4)
        picture.text(title, x: 12, y: 22, size: 15, isBold: true)
        for tick in y.ticks {
            picture.line(left, y.position(tick), right, y.position(tick))
            picture.text(y.label(tick), x: left - 7, y: y.position(tick) + 4, anchor: .end, fill: palette.muted)
        }
        for tick in x.ticks {
            picture.text(x.label(tick), x: x.position(tick), y: bottom + 17, anchor: .middle, fill: palette.muted)
        }
        picture.text("epoch", x: (left + right) / 2, y: bottom + 34, anchor: .middle, fill: palette.muted)
        if let best, let epoch = epochs.first(where: { $0.epoch == best }) {
            let place = x.position(Double(best))
            picture.line(place, top, place, bottom, stroke: palette.muted, dash: "2 3")
            let isRight = place > (left + right) / 2
            picture.text(
                "best: epoch \(epoch.epoch)", x: place + (isRight ? -5 : 5), y: top - 4, size: 11, anchor: isRight ? .end : .start,
                fill: palette.muted)
        }
        func draw(_ points: [(Double, Double)], _ color: String, dash: String?, _ mark: Picture.Mark) {
            let places = points.map { (x: x.position($0.0), y: y.position($0.1)) }
            if places.count > 1 { picture.polyline(places, stroke: color, dash: dash) }
            if places.count <= 25 { for place in places { picture.mark(mark, x: place.x, y: place.y, size: 3, fill: color) } }
        }
        draw(trained, palette.first, dash: nil, .circle)
        draw(validated, palette.second, dash: "7 4", .square)
        if !isRate {
            legend(&picture, "training", palette.first, dash: nil, .circle, x: CurvePlot.width - (validated.isEmpty ? 90 : 196))
            if !validated.isEmpty { legend(&picture, "validation", palette.second, dash: "7 4", .square, x: CurvePlot.width - 106) }
        }
        return picture
    }

    private func legend(
        _ picture: inout Picture, _ word: String, _ color: String, dash: String?, _ mark: Picture.Mark, x: Double
    ) {
        picture.line(x, 18, x + 24, 18, stroke: color, width: 2, dash: dash)
        picture.mark(mark, x: x + 12, y: 18, size: 3, fill: color)
        picture.text(word, x: x + 29, y: 22)
    }

    private static func summary(_ name: String, _ points: [(Double, Double)], _ digits: Int) -> String {
        guard let first = points.first, let last = points.last else { return "No \(name) values." }
        func text(_ value: Double) -> String { Formatting.fixed(value, digits) }
        if points.count == 1 { return "One epoch: \(name) \(text(first.1))." }
        return "From \(text(first.1)) at epoch \(Int(first.0)) to \(text(last.1)) at epoch \(Int(last.0)) (\(name))."
    }
}
