import VidTensor

/// The frames of a clip side by side in one picture: each as it is, under it with its heat, under that its contribution as
/// a bar; what is not given is left out. Rows are begun anew where one is full.
package struct FrameStrip: Sendable {
    /// One frame and what is known of it.
    package struct Frame: Sendable {
        /// (rows, columns, 3) of red, green, blue.
        package var rgb: [UInt8]
        /// Stands over the frame, such as its time.
        package var caption: String
        package var heat: HeatMap?
        /// For (above 0) or against the class, in the unit of its logit.
        package var contribution: Float?

        package init(rgb: [UInt8], caption: String = "", heat: HeatMap? = nil, contribution: Float? = nil) {
            self.rgb = rgb
            self.caption = caption
            self.heat = heat
            self.contribution = contribution
        }
    }

    /// Of every frame, in pixels.
    package let rows: Int
    package let columns: Int
    package let frames: [Frame]
    package var title: String
    /// A second line, smaller.
    package var subtitle: String
    /// The value of the hottest colour: the largest of all maps unless something else is set, so that all frames share one scale.
    package var heatMaximum: Float
    /// The most frames that are shown, evenly chosen from the first to the last.
    package var mostFrames = 16
    /// Pixels that the picture is wide at most, as far as one frame and the title allow.
    package var width = 1280

    package init(rows: Int, columns: Int, frames: [Frame], title: String = "", subtitle: String = "") {
        precondition(rows >= 1 && columns >= 1 && !frames.isEmpty, "a strip of \(frames.count) frames of \(rows) x \(columns)")
        self.rows = rows
        self.columns = columns
        self.frames = frames
        self.title = title
        self.subtitle = subtitle
        heatMaximum = frames.reduce(0) { max($0, $1.heat?.maximum ?? 0) }
    }

    /// Places of the frames that are shown.
    package var shown: [Int] {
        let count = min(max(1, mostFrames), frames.count)
        guard count > 1 else { return [0] }
        return (0..<count).map { ($0 * (frames.count - 1) + (count - 1) / 2) / (count - 1) }
    }

    /// The picture as a PNG file's bytes.
    package func png() throws -> [UInt8] { try drawn().png() }

    /// Draws the picture.
    package func drawn() throws -> Canvas {
        let shown = shown
        let layout = StripLayout(self, shown: shown.count)
        let canvas = try Canvas(width: layout.width, height: layout.height)
        var y = StripLayout.margin
        for line in layout.title {
            canvas.text(line, x: StripLayout.margin, y: y + 17, size: StripLayout.titleSize, StripStyle.ink, isBold: true)
            y += StripLayout.titleLine
        }
        for line in layout.subtitle {
            canvas.text(line, x: StripLayout.margin, y: y + 13, size: StripLayout.textSize, StripStyle.soft)
            y += StripLayout.textLine
        }
        for (place, index) in shown.enumerated() {
            let (row, column) = place.quotientAndRemainder(dividingBy: layout.perRow)
            let x = StripLayout.margin + Double(column) * (layout.cellWidth + StripLayout.gap)
            try draw(frames[index], canvas, layout, x: x, y: layout.top + Double(row) * (layout.cellHeight + StripLayout.rowGap))
        }
        if layout.legendHeight > 0 { drawLegend(canvas, layout) }
        return canvas
    }

    private func draw(_ frame: Frame, _ canvas: Canvas, _ layout: StripLayout, x: Double, y top: Double) throws {
        var y = top
        let middle = x + layout.cellWidth / 2
        if layout.hasCaptions {
            canvas.text(frame.caption, x: middle, y: y + 13, size: StripLayout.textSize, StripStyle.ink, anchor: .middle)
            y += StripLayout.textLine
        }
        let left = middle - layout.frameWidth / 2
        canvas.draw(rgb: frame.rgb, rows: rows, columns: columns, x: left, y: y, width: layout.frameWidth, height: layout.frameHeight)
        y += layout.frameHeight + StripLayout.between
        if layout.hasHeat {
            // Laid over at the size it is drawn in, so that a coarse map is smooth on a small frame, too.
            let (drawnRows, drawnColumns) = (Int(layout.frameHeight), Int(layout.frameWidth))
            var rgb = try Canvas.resized(frame.rgb, rows: rows, columns: columns, to: drawnRows, drawnColumns)
            if let heat = frame.heat { rgb = heat.laid(over: rgb, rows: drawnRows, columns: drawnColumns, maximum: heatMaximum) }
            canvas.draw(
                rgb: rgb, rows: drawnRows, columns: drawnColumns, x: left, y: y, width: layout.frameWidth, height: layout.frameHeight)
            y += layout.frameHeight + StripLayout.between
        }
        if layout.hasBars {
            drawBar(frame.contribution, canvas, layout, x: x, y: y)
        }
    }

    /// For the class: up from the line and blue; against it: down and vermilion, with its sign in words of figures.
    private func drawBar(_ contribution: Float?, _ canvas: Canvas, _ layout: StripLayout, x: Double, y: Double) {
        let zero = y + StripLayout.textLine + layout.barsUp
        canvas.fill(x: x, y: zero - 0.5, width: layout.cellWidth, height: 1, StripStyle.line)
        guard let contribution else { return }
        let length = layout.barLength(contribution)
        let barWidth = min(layout.cellWidth * 0.5, 48)
        let middle = x + layout.cellWidth / 2
        let isFor = contribution >= 0
        canvas.fill(
            x: middle - barWidth / 2, y: isFor ? zero - length : zero, width: barWidth, height: length,
            isFor ? StripStyle.supports : StripStyle.opposes)
        canvas.text(
            FrameStrip.signed(contribution), x: middle, y: isFor ? zero - length - 4 : zero + length + 14, size: StripLayout.textSize,
            StripStyle.ink, anchor: .middle)
    }

    /// "+0.52", "-1.30", "+12.1".
    package static func signed(_ value: Float) -> String {
        let size = Double(abs(value))
        // Nothing has no sign of its own: "+0.00", never "-0.00".
        return (value < 0 && size >= 0.005 ? "-" : "+") + Formatting.fixed(size, size < 9.995 ? 2 : size < 99.95 ? 1 : 0)
    }

    private func drawLegend(_ canvas: Canvas, _ layout: StripLayout) {
        var x = StripLayout.margin
        var y = Double(layout.height) - StripLayout.margin - layout.legendHeight
        let size = StripLayout.textSize
        /// A piece of the legend stands where the line has room for it, else on the next.
        func begin(_ width: Double) {
            if x > StripLayout.margin, x + width > Double(layout.width) - StripLayout.margin {
                x = StripLayout.margin
                y += StripLayout.legendLine
            }
        }
        if layout.hasHeat {
            begin(layout.heatLegendWidth)
            canvas.text(StripLayout.heatWords.0, x: x, y: y + 15, size: size, StripStyle.ink)
            x += canvas.textWidth(StripLayout.heatWords.0, size: size) + 8
            for step in 0..<Int(StripLayout.scaleWidth) {
                let colour = HeatColours.colour(Float(step) / Float(StripLayout.scaleWidth - 1))
                canvas.fill(
                    x: x + Double(step), y: y + 3, width: 1, height: 14,
                    .init(Double(colour.red) / 255, Double(colour.green) / 255, Double(colour.blue) / 255))
            }
            x += StripLayout.scaleWidth + 8
            canvas.text(StripLayout.heatWords.1, x: x, y: y + 15, size: size, StripStyle.ink)
            x += canvas.textWidth(StripLayout.heatWords.1, size: size) + 28
        }
        if layout.hasBars {
            begin(layout.barLegendWidth)
            canvas.text(StripLayout.barWords.0, x: x, y: y + 15, size: size, StripStyle.ink)
            x += canvas.textWidth(StripLayout.barWords.0, size: size) + 10
            for (word, color) in [(StripLayout.barWords.1, StripStyle.supports), (StripLayout.barWords.2, StripStyle.opposes)] {
                canvas.fill(x: x, y: y + 4, width: 12, height: 12, color)
                canvas.text(word, x: x + 18, y: y + 15, size: size, StripStyle.ink)
                x += canvas.textWidth(word, size: size) + 34
            }
        }
    }
}

/// The colours of a strip: blue and vermilion of Okabe and Ito's palette, which the colour-blind tell apart.
enum StripStyle {
    static let ink = Canvas.Color(0.1, 0.1, 0.12)
    static let soft = Canvas.Color(0.33, 0.33, 0.36)
    static let line = Canvas.Color(0.55, 0.55, 0.58)
    static let supports = Canvas.Color(0, 0.447, 0.698)
    static let opposes = Canvas.Color(0.835, 0.369, 0)
}
