import VidTensor

/// The frames of a clip side by side in one picture, in one or several rows: each frame, below it the frame with its heat map, and
/// below that a bar of its share. What is not given is left out.
///
/// Each heat map has its own scale: the last frame of an LSTM often counts many times more than the others, whose maps would be dark
/// on a common scale. The bars tell how much each frame counts.
package struct FrameStrip: Sendable {
    /// One frame with its explanation.
    package struct Frame: Sendable {
        /// (rows, columns, 3) of red, green, blue.
        package var rgb: [UInt8]
        /// The text above the frame, such as its time.
        package var caption: String
        package var heat: HeatMap?
        /// The contribution for (above 0) or against the class, in units of its logit.
        package var contribution: Float?

        package init(rgb: [UInt8], caption: String = "", heat: HeatMap? = nil, contribution: Float? = nil) {
            (self.rgb, self.caption, self.heat, self.contribution) = (rgb, caption, heat, contribution)
        }
    }

    /// The size of every frame in pixels.
    package let rows: Int
    package let columns: Int
    package let frames: [Frame]
    package var title: String
    /// A second line, smaller.
    package var subtitle: String
    /// Each frame's share of all contributions; see ``shares(of:)``.
    package let shares: [Double]
    /// The most frames that are shown, chosen evenly from the first to the last.
    package var mostFrames = 16
    /// The largest width of the picture in pixels; a single frame may exceed it.
    package var width = 1280

    package init(rows: Int, columns: Int, frames: [Frame], title: String = "", subtitle: String = "") {
        precondition(rows >= 1 && columns >= 1 && !frames.isEmpty, "a strip of \(frames.count) frames of \(rows) x \(columns)")
        (self.rows, self.columns, self.frames, self.title, self.subtitle) = (rows, columns, frames, title, subtitle)
        shares = FrameStrip.shares(of: frames.map { $0.contribution ?? 0 })
    }

    /// The indices of the frames that are shown.
    package var shown: [Int] { FrameStrip.shown(mostFrames, of: frames.count) }

    /// The indices of the frames that a strip of at most `most` frames shows, of so many in all.
    package static func shown(_ most: Int, of all: Int) -> [Int] {
        let count = min(max(1, most), all)
        guard count > 1 else { return [0] }
        return (0..<count).map { ($0 * (all - 1) + (count - 1) / 2) / (count - 1) }
    }

    /// The picture as a PNG file's bytes.
    package func png() throws -> [UInt8] { try drawn().png() }

    /// Draws the picture.
    package func drawn() throws -> Canvas {
        let shown = shown
        let layout = StripLayout(self, shown: shown.count)
        let canvas = try Canvas(width: layout.width, height: layout.height)
        var y = margin
        for line in layout.title {
            canvas.text(line, x: margin, y: y + 17, size: titleSize, StripStyle.ink, isBold: true)
            y += titleLine
        }
        for line in layout.subtitle {
            canvas.text(line, x: margin, y: y + 13, size: textSize, StripStyle.soft)
            y += textLine
        }
        for (place, index) in shown.enumerated() {
            let (row, column) = place.quotientAndRemainder(dividingBy: layout.perRow)
            let x = margin + Double(column) * (layout.cellWidth + gap)
            try draw(index, canvas, layout, x: x, y: layout.top + Double(row) * (layout.cellHeight + rowGap))
        }
        if layout.legendHeight > 0 { drawLegend(canvas, layout) }
        return canvas
    }

    private func draw(_ index: Int, _ canvas: Canvas, _ layout: StripLayout, x: Double, y top: Double) throws {
        let frame = frames[index]
        var y = top
        let middle = x + layout.cellWidth / 2
        if layout.hasCaptions {
            canvas.text(frame.caption, x: middle, y: y + 13, size: textSize, StripStyle.ink, anchor: .middle)
            y += textLine
        }
        let left = middle - layout.frameWidth / 2
        canvas.draw(rgb: frame.rgb, rows: rows, columns: columns, x: left, y: y, width: layout.frameWidth, height: layout.frameHeight)
        y += layout.frameHeight + between
        if layout.hasHeat {
            try drawHeat(index, canvas, x: left, y: y, width: layout.frameWidth, height: layout.frameHeight)
            y += layout.frameHeight + between
        }
        if layout.hasBars {
            drawBar(index, canvas, layout, x: x, y: y)
        }
    }

    /// Draws frame `index` with its heat map, or a grey field with the reason why it has none.
    func drawHeat(_ index: Int, _ canvas: Canvas, x: Double, y: Double, width: Double, height: Double) throws {
        let frame = frames[index]
        guard let heat = frame.heat, heat.maximum > 0, frame.contribution == nil || FrameStrip.isVisible(shares[index]) else {
            canvas.fill(x: x, y: y, width: width, height: height, StripStyle.empty)
            let reason = frame.contribution != nil && !FrameStrip.isVisible(shares[index]) ? "no share" : "no region"
            if canvas.textWidth(reason, size: textSize) <= width, height >= textLine {
                canvas.text(reason, x: x + width / 2, y: y + height / 2 + 5, size: textSize, StripStyle.soft, anchor: .middle)
            }
            return
        }
        // Drawn at the final size, so that a coarse map is smooth on a small frame, too.
        let (drawnRows, drawnColumns) = (Int(height), Int(width))
        let rgb = heat.laid(
            over: try Canvas.resized(frame.rgb, rows: rows, columns: columns, to: drawnRows, drawnColumns), rows: drawnRows,
            columns: drawnColumns, maximum: heat.maximum)
        canvas.draw(rgb: rgb, rows: drawnRows, columns: drawnColumns, x: x, y: y, width: width, height: height)
    }

    /// A blue bar upwards for the class, or a vermilion one downwards against it, with the frame's share and contribution.
    private func drawBar(_ index: Int, _ canvas: Canvas, _ layout: StripLayout, x: Double, y: Double) {
        let zero = y + textLine + layout.barsUp
        canvas.fill(x: x, y: zero - 0.5, width: layout.cellWidth, height: 1, StripStyle.line)
        guard let contribution = frames[index].contribution else { return }
        let length = layout.barLength(shares[index])
        let barWidth = min(layout.cellWidth * 0.5, 48)
        let middle = x + layout.cellWidth / 2
        let isFor = contribution >= 0
        canvas.fill(
            x: middle - barWidth / 2, y: isFor ? zero - length : zero, width: barWidth, height: length,
            isFor ? StripStyle.supports : StripStyle.opposes)
        canvas.text(
            FrameStrip.label(share: shares[index], contribution), x: middle, y: isFor ? zero - length - 4 : zero + length + 14,
            size: textSize, StripStyle.ink, anchor: .middle)
    }

    /// Each frame's share: the size of its contribution divided by the sum of all sizes. Shares add up to 1, or are all 0 if no frame
    /// contributes; a contribution that is not finite counts as 0.
    package static func shares(of contributions: [Float]) -> [Double] {
        let sizes = contributions.map { $0.isFinite ? Double(abs($0)) : 0 }
        let sum = sizes.reduce(0, +)
        return sizes.map { sum > 0 ? $0 / sum : 0 }
    }

    /// Whether a share is more than "0 %". Frames with less have no heat map, because its own scale would show noise.
    package static func isVisible(_ share: Double) -> Bool { share >= 0.0005 }

    /// "34 %", "3.4 %", "0 %".
    package static func percent(_ share: Double) -> String {
        isVisible(share) ? Formatting.fixed(share * 100, share < 0.0995 ? 1 : 0) + " %" : "0 %"
    }

    /// "34 % (+0.52)".
    private static func label(share: Double, _ contribution: Float) -> String { "\(percent(share)) (\(signed(contribution)))" }

    /// "+0.52", "-1.30", "+12.1". A number that rounds to zero keeps its sign, which tells the direction of its bar.
    package static func signed(_ value: Float) -> String {
        let size = Double(abs(value))
        return (value < 0 ? "-" : "+") + Formatting.fixed(size, size < 9.995 ? 2 : size < 99.95 ? 1 : 0)
    }

    /// Draws the pieces of the legend side by side or, without room for both, below each other.
    private func drawLegend(_ canvas: Canvas, _ layout: StripLayout) {
        let top = Double(layout.height) - margin - layout.legendHeight
        guard layout.hasHeat else {
            _ = barLegend(canvas, margin, top)
            return
        }
        let end = heatLegend(canvas, margin, top) + 28
        guard layout.hasBars else { return }
        let isBelow = layout.legendHeight > legendLine
        _ = barLegend(canvas, isBelow ? margin : end, isBelow ? top + legendLine : top)
    }
}

/// Draws the legend of the heat maps; returns its right end.
private func heatLegend(_ canvas: Canvas, _ start: Double, _ y: Double) -> Double {
    let x = legendText(canvas, "Regions, each frame on its own scale:  none", start, y) + 8
    for step in 0..<Int(scaleWidth) {
        let colour = HeatColours.colour(Float(step) / Float(scaleWidth - 1))
        canvas.fill(
            x: x + Double(step), y: y + 3, width: 1, height: 14,
            .init(Double(colour.red) / 255, Double(colour.green) / 255, Double(colour.blue) / 255))
    }
    return legendText(canvas, "most", x + scaleWidth + 8, y)
}

/// Draws the legend of the bars; returns its right end.
private func barLegend(_ canvas: Canvas, _ start: Double, _ y: Double) -> Double {
    var end = legendText(canvas, "Share of each frame:", start, y) - 6
    for (text, color) in [("for the class (bar up)", StripStyle.supports), ("against it (bar down)", StripStyle.opposes)] {
        canvas.fill(x: end + 16, y: y + 4, width: 12, height: 12, color)
        end = legendText(canvas, text, end + 34, y)
    }
    return end
}

private func legendText(_ canvas: Canvas, _ text: String, _ x: Double, _ y: Double) -> Double {
    canvas.text(text, x: x, y: y + 15, size: textSize, StripStyle.ink)
    return x + canvas.textWidth(text, size: textSize)
}

/// The places of a strip's parts, in pixels.
private struct StripLayout {
    let hasCaptions: Bool
    let hasHeat: Bool
    let hasBars: Bool
    let frameWidth: Double
    let frameHeight: Double
    let cellWidth: Double
    let cellHeight: Double
    let perRow: Int
    let width: Int
    let height: Int
    /// The top of the first row of frames.
    let top: Double
    let title: [String]
    let subtitle: [String]
    let legendHeight: Double
    /// The distance from the top of the bars to their zero line.
    let barsUp: Double
    private let longest: Double

    init(_ strip: FrameStrip, shown: Int) {
        hasCaptions = strip.frames.contains { !$0.caption.isEmpty }
        hasHeat = strip.frames.contains { $0.heat != nil }
        hasBars = strip.frames.contains { $0.contribution?.isFinite ?? false }
        let scale = StripLayout.scale(rows: strip.rows, columns: strip.columns)
        frameWidth = max(1, (Double(strip.columns) * scale).rounded())
        frameHeight = max(1, (Double(strip.rows) * scale).rounded())
        let measure = TextMeasure()
        let captions = strip.frames.map { measure.width($0.caption, textSize) }.max() ?? 0
        cellWidth = max(frameWidth, captions, hasBars ? measure.width("0.0 % (+0.00)", textSize) : 0).rounded(.up)

        let room = Double(max(strip.width, 320)) - 2 * margin
        let fit = max(1, Int((room + gap) / (cellWidth + gap)))
        // Rows of equal length: 16 frames become 8 and 8 rather than 9 and 7.
        let lines = (shown + fit - 1) / fit
        perRow = (shown + lines - 1) / lines
        var inner = Double(perRow) * (cellWidth + gap) - gap
        let heatWidth = hasHeat ? measure.canvas.map { heatLegend($0, 0, 0) } ?? 0 : 0
        let barWidth = hasBars ? measure.canvas.map { barLegend($0, 0, 0) } ?? 0 : 0
        let wholeTitle = measure.width(strip.title, titleSize, isBold: true)
        inner = max(inner, heatWidth, barWidth, min(wholeTitle + 1, room))
        width = Int((inner + 2 * margin).rounded(.up))
        title = measure.lines(strip.title, titleSize, isBold: true, within: inner)
        subtitle = measure.lines(strip.subtitle, textSize, within: inner)

        let isTwoLines = hasHeat && hasBars && heatWidth + 28 + barWidth > inner
        legendHeight = hasHeat || hasBars ? legendLine * (isTwoLines ? 2 : 1) : 0

        let signed = zip(strip.frames, strip.shares).map { ($0.contribution ?? 0) < 0 ? -$1 : $1 }
        longest = strip.shares.max() ?? 0
        let (most, least) = (max(0, signed.max() ?? 0), min(0, signed.min() ?? 0))
        let unit = longest > 0 ? longestBar / longest : 0
        barsUp = most * unit
        let barsDown = -least * unit
        let barsHeight = hasBars ? textLine + barsUp + barsDown + (least < 0 ? textLine : 0) : 0
        cellHeight =
            (hasCaptions ? textLine : 0) + (frameHeight + between) * (hasHeat ? 2 : 1) + barsHeight
        let head = Double(title.count) * titleLine + Double(subtitle.count) * textLine
        top = margin + head + (head > 0 ? 8 : 0)
        let rowCount = Double((shown + perRow - 1) / perRow)
        height = Int(
            (top + rowCount * (cellHeight + rowGap) - rowGap + (legendHeight > 0 ? 12 + legendHeight : 0)
                + margin).rounded(.up))
    }

    /// The length of a share's bar.
    func barLength(_ share: Double) -> Double { longest > 0 ? longestBar * share / longest : 0 }

    /// The factor by which frames are enlarged or reduced, so that their longer side has 128 to 192 pixels; a whole number for small
    /// frames.
    private static func scale(rows: Int, columns: Int) -> Double {
        let side = Double(max(rows, columns))
        if side > 192 { return 144 / side }
        return side >= 128 ? 1 : max(1, (128 / side).rounded())
    }
}

private let margin = 16.0
private let gap = 8.0
private let rowGap = 18.0
/// Between a frame and what is below it.
private let between = 4.0
private let titleSize = 17.0
private let textSize = 13.0
private let titleLine = 24.0
private let textLine = 19.0
private let legendLine = 24.0
private let scaleWidth = 120.0
private let longestBar = 48.0

/// The colours of a strip: blue and vermilion of Okabe and Ito's palette, which colour-blind people can tell apart.
enum StripStyle {
    static let ink = Canvas.Color(0.1, 0.1, 0.12)
    static let soft = Canvas.Color(0.33, 0.33, 0.36)
    static let line = Canvas.Color(0.55, 0.55, 0.58)
    /// The field of a frame without a heat map.
    static let empty = Canvas.Color(0.93, 0.93, 0.94)
    static let supports = Canvas.Color(0, 0.447, 0.698)
    static let opposes = Canvas.Color(0.835, 0.369, 0)
}
