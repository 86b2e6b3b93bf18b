import VidTrain

/// The curves of a training over the epochs: loss, accuracy and learning rate, each in its own panel.
package struct CurvePlot {
    private let epochs: [EpochRecord]
    private let best: Int?
    private let palette: Palette

    private static let width = 420.0
    private static let height = 280.0

    /// - Parameter best: the best epoch's number.
    package init(_ epochs: [EpochRecord], best: Int?, palette: Palette) {
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
        return Picture(
            row: panels, title: "Training curves", summary: panels.map { "\($0.title): \($0.summary)" }.joined(separator: " "))
    }

    private func panel(
        _ title: String, _ train: KeyPath<EpochRecord, Double>, _ validation: KeyPath<EpochRecord, Double?>?, digits: Int
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
        let axes = EpochAxes(
            epochs: epochs.map { Double($0.epoch) }, values: (trained + validated).map(\.1) + (isRate ? [0] : []), left: 58,
            right: CurvePlot.width - 18, top: 44, bottom: CurvePlot.height - 40)
        axes.draw(on: &picture, title, x: 12)
        if let best, let epoch = epochs.first(where: { $0.epoch == best }) {
            let place = axes.horizontal.position(Double(best))
            picture.line(place, axes.top, place, axes.bottom, stroke: palette.muted, dash: "2 3")
            let isRight = place > axes.middle
            picture.text(
                "best: epoch \(epoch.epoch)", x: place + (isRight ? -5 : 5), y: axes.top - 4, size: 11, anchor: isRight ? .end : .start,
                fill: palette.muted)
        }
        axes.draw(trained, on: &picture, palette.first, dash: nil, .circle)
        axes.draw(validated, on: &picture, palette.second, dash: "7 4", .square)
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
