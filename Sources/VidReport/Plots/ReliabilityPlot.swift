import VidTrain

/// The reliability diagram: how often the model is right, for each range of scores, and below that the number of clips.
package struct ReliabilityPlot {
    private let bins: [Calibration.Bin]
    private let palette: Palette

    package init(_ calibration: Calibration, palette: Palette) {
        bins = calibration.bins
        self.palette = palette
    }

    package var picture: Picture {
        let total = bins.reduce(0) { $0 + $1.clips }
        var picture = Picture(
            width: 420, height: 400, title: "Reliability diagram",
            summary:
                "Bars show how often the model is right, by the score of its answer. A perfectly calibrated model is on the dashed diagonal. "
                + bins.enumerated().filter { $1.clips > 0 }.map { place, bin in
                    "Scores up to \(Formatting.fixed(Double(place + 1) / Double(bins.count), 1)): \(Formatting.fixed(bin.accuracy * 100, 0)) % of "
                        + "\(Formatting.count(bin.clips, "clip")) right."
                }.joined(separator: " "),
            palette: palette)
        let (left, right, top, bottom) = (58.0, 402.0, 44.0, 270.0)
        let x = Axis([0, 1], from: left, to: right, ticks: 5)
        let y = Axis([0, 1], from: bottom, to: top, ticks: 5)
        picture.text("How often the model is right, by score", x: 12, y: 22, size: 15, isBold: true)
        for tick in y.ticks {
            picture.line(left, y.position(tick), right, y.position(tick))
            picture.text("\(Formatting.fixed(tick * 100, 0)) %", x: left - 7, y: y.position(tick) + 4, anchor: .end, fill: palette.muted)
        }
        let width = (right - left) / Double(bins.count)
        let (floor, roof) = (360.0, 300.0)
        let most = Double(bins.map(\.clips).max() ?? 0)
        for (place, bin) in bins.enumerated() where bin.clips > 0 {
            let start = left + Double(place) * width
            picture.rectangle(
                x: start + 2, y: y.position(bin.accuracy), width: width - 4, height: bottom - y.position(bin.accuracy), fill: palette.first,
                opacity: 0.75)
            picture.mark(
                .diamond, x: x.position(bin.confidence), y: y.position(bin.accuracy), size: 4, fill: palette.second,
                stroke: palette.background)
            let tall = Double(bin.clips) / most * (floor - roof)
            picture.rectangle(x: start + 2, y: floor - tall, width: width - 4, height: tall, fill: palette.muted, opacity: 0.55)
            picture.text("\(bin.clips)", x: start + width / 2, y: floor - tall - 4, size: 10, anchor: .middle, fill: palette.muted)
        }
        picture.line(left, bottom, right, top, stroke: palette.text, width: 1.5, dash: "5 4")
        picture.line(left, floor, right, floor)
        for tick in x.ticks {
            picture.text("\(Formatting.fixed(tick * 100, 0)) %", x: x.position(tick), y: floor + 16, anchor: .middle, fill: palette.muted)
        }
        picture.text("score of the answer", x: (left + right) / 2, y: floor + 34, anchor: .middle, fill: palette.muted)
        picture.text("correct", x: 14, y: (top + bottom) / 2 + 12, fill: palette.muted, turn: -90)
        picture.text(total == 1 ? "clip" : "clips", x: 14, y: (floor + roof) / 2 + 14, fill: palette.muted, turn: -90)
        return picture
    }
}
