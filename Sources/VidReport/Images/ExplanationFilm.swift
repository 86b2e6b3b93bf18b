/// An animation of a strip's frames: each frame beside the same frame with its heat map, above the bars of all frames' shares.
package struct ExplanationFilm: Sendable {
    package let rows: Int
    package let columns: Int
    /// Pictures (rows, columns, 3) of red, green, blue.
    package let frames: [[UInt8]]

    private static let margin = 10.0
    private static let barsHeight = 56.0
    private static let titleLine = 20.0
    private static let captionLine = 20.0
    private static let noteLine = 15.0
    private static let noteSize = 11.0

    /// Shows all frames of `strip`, even those that the strip leaves out.
    package init(_ strip: FrameStrip) throws {
        let scale = ExplanationFilm.scale(rows: strip.rows, columns: strip.columns)
        let (width, height) = ((Double(strip.columns) * scale).rounded(), (Double(strip.rows) * scale).rounded())
        let inner = 2 * width + ExplanationFilm.margin
        let lines = TextMeasure().lines(strip.title, 14, isBold: true, within: inner)
        let top = ExplanationFilm.margin + Double(lines.count) * ExplanationFilm.titleLine
        let hasBars = strip.frames.contains { $0.contribution != nil }
        let barsTop = top + height + ExplanationFilm.captionLine
        let notes = TextMeasure().lines(
            "Each frame's map has its own scale. " + (hasBars ? "The bars are the frames' shares." : ""), ExplanationFilm.noteSize,
            within: inner)
        let notesTop = barsTop + (hasBars ? ExplanationFilm.barsHeight : 0)
        columns = Int(inner + 2 * ExplanationFilm.margin)
        rows = Int(notesTop + Double(notes.count) * ExplanationFilm.noteLine + ExplanationFilm.margin)
        var frames: [[UInt8]] = []
        for (index, frame) in strip.frames.enumerated() {
            let canvas = try Canvas(width: columns, height: rows)
            for (number, line) in lines.enumerated() {
                canvas.text(
                    line, x: ExplanationFilm.margin, y: ExplanationFilm.margin + 12 + Double(number) * ExplanationFilm.titleLine, size: 14,
                    StripStyle.ink, isBold: true)
            }
            canvas.draw(
                rgb: frame.rgb, rows: strip.rows, columns: strip.columns, x: ExplanationFilm.margin, y: top, width: width, height: height)
            try strip.drawHeat(index, canvas, x: 2 * ExplanationFilm.margin + width, y: top, width: width, height: height)
            let y = top + height + 15
            canvas.text(frame.caption, x: ExplanationFilm.margin, y: y, size: 13, StripStyle.ink)
            if let contribution = frame.contribution {
                canvas.text(
                    "\(FrameStrip.percent(strip.shares[index])) \(contribution < 0 ? "against" : "for") (\(FrameStrip.signed(contribution)))",
                    x: Double(columns) - ExplanationFilm.margin, y: y, size: 13, StripStyle.ink, anchor: .end)
            }
            if hasBars { ExplanationFilm.drawBars(strip, at: index, canvas, top: barsTop, width: inner) }
            for (number, line) in notes.enumerated() {
                canvas.text(
                    line, x: ExplanationFilm.margin, y: notesTop + Double(number + 1) * ExplanationFilm.noteLine,
                    size: ExplanationFilm.noteSize, StripStyle.soft)
            }
            frames.append(canvas.rgb)
        }
        self.frames = frames
    }

    /// A bar for each frame, up for the class and down against it; the current one is marked and the others are pale.
    private static func drawBars(_ strip: FrameStrip, at current: Int, _ canvas: Canvas, top: Double, width: Double) {
        let shares = zip(strip.frames, strip.shares).map { ($0.contribution ?? 0) < 0 ? -$1 : $1 }
        let most = max(0, shares.max() ?? 0)
        let least = min(0, shares.min() ?? 0)
        guard most > least else { return }
        let unit = barsHeight / (most - least)
        let zero = top + most * unit
        let step = width / Double(shares.count)
        canvas.fill(x: margin + Double(current) * step, y: top, width: step, height: barsHeight, .init(0.9, 0.9, 0.9))
        for (index, share) in shares.enumerated() {
            var color = share >= 0 ? StripStyle.supports : StripStyle.opposes
            color.alpha = index == current ? 1 : 0.4
            let length = abs(share) * unit
            canvas.fill(
                x: margin + Double(index) * step + step * 0.1, y: share >= 0 ? zero - length : zero, width: step * 0.8,
                height: length, color)
        }
        canvas.fill(x: margin, y: zero - 0.5, width: width, height: 1, StripStyle.line)
    }

    /// The scale at which a frame's longer side has 224 to 448 pixels.
    private static func scale(rows: Int, columns: Int) -> Double {
        let side = Double(max(rows, columns))
        if side > 320 { return 320 / side }
        return side >= 224 ? 1 : max(1, (224 / side).rounded(.up))
    }
}
