/// Where the parts of a strip stand, in pixels.
struct StripLayout {
    static let margin = 16.0
    static let gap = 8.0
    static let rowGap = 18.0
    static let between = 4.0
    static let titleSize = 17.0
    static let textSize = 13.0
    static let titleLine = 24.0
    static let textLine = 19.0
    static let legendLine = 24.0
    static let scaleWidth = 120.0
    static let heatWords = ("Regions that spoke for it:  none", "most")
    static let barWords = ("Each frame's share of the score:", "for (up)", "against (down)")
    /// The longest bar.
    private static let longestBar = 48.0

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
    /// Where the first row of frames begins.
    let top: Double
    let title: [String]
    let subtitle: [String]
    let legendHeight: Double
    let heatLegendWidth: Double
    let barLegendWidth: Double
    /// Pixels from the top of the bars to their line.
    let barsUp: Double
    private let longest: Float

    init(_ strip: FrameStrip, shown: Int) {
        hasCaptions = strip.frames.contains { !$0.caption.isEmpty }
        hasHeat = strip.frames.contains { $0.heat != nil }
        let contributions = strip.frames.compactMap(\.contribution).filter(\.isFinite)
        hasBars = !contributions.isEmpty
        let scale = StripLayout.scale(rows: strip.rows, columns: strip.columns)
        frameWidth = max(1, (Double(strip.columns) * scale).rounded())
        frameHeight = max(1, (Double(strip.rows) * scale).rounded())
        let measure = TextMeasure()
        let captions = strip.frames.map { measure.width($0.caption, StripLayout.textSize) }.max() ?? 0
        cellWidth = max(frameWidth, captions, hasBars ? measure.width("+00.00", StripLayout.textSize) : 0).rounded(.up)

        let room = Double(max(strip.width, 320)) - 2 * StripLayout.margin
        let fit = max(1, Int((room + StripLayout.gap) / (cellWidth + StripLayout.gap)))
        // As many in every row as the last one can have: 16 frames are 8 and 8 rather than 9 and 7.
        let lines = (shown + fit - 1) / fit
        perRow = (shown + lines - 1) / lines
        var inner = Double(perRow) * (cellWidth + StripLayout.gap) - StripLayout.gap
        heatLegendWidth =
            measure.width(StripLayout.heatWords.0, StripLayout.textSize) + measure.width(StripLayout.heatWords.1, StripLayout.textSize)
            + StripLayout.scaleWidth + 16
        barLegendWidth =
            [StripLayout.barWords.0, StripLayout.barWords.1, StripLayout.barWords.2]
            .reduce(0) { $0 + measure.width($1, StripLayout.textSize) } + 78
        let widestLegend = max(hasHeat ? heatLegendWidth : 0, hasBars ? barLegendWidth : 0)
        let wholeTitle = measure.width(strip.title, StripLayout.titleSize, isBold: true)
        inner = max(inner, widestLegend, min(wholeTitle + 1, room))
        width = Int((inner + 2 * StripLayout.margin).rounded(.up))
        title = measure.lines(strip.title, StripLayout.titleSize, isBold: true, within: inner)
        subtitle = measure.lines(strip.subtitle, StripLayout.textSize, within: inner)

        let pieces = hasHeat && hasBars ? heatLegendWidth + 28 + barLegendWidth : widestLegend
        legendHeight = widestLegend == 0 ? 0 : StripLayout.legendLine * (pieces > inner ? 2 : 1)

        longest = contributions.reduce(0) { max($0, abs($1)) }
        let most = contributions.max() ?? 0
        let least = contributions.min() ?? 0
        let unit = longest > 0 ? StripLayout.longestBar / Double(longest) : 0
        barsUp = max(0, Double(most) * unit)
        let barsDown = max(0, -Double(least) * unit)
        let barsHeight = hasBars ? StripLayout.textLine + barsUp + barsDown + (least < 0 ? StripLayout.textLine : 0) : 0
        cellHeight =
            (hasCaptions ? StripLayout.textLine : 0) + (frameHeight + StripLayout.between) * (hasHeat ? 2 : 1) + barsHeight
        let head = Double(title.count) * StripLayout.titleLine + Double(subtitle.count) * StripLayout.textLine
        top = StripLayout.margin + head + (head > 0 ? 8 : 0)
        let rowCount = Double((shown + perRow - 1) / perRow)
        height = Int(
            (top + rowCount * (cellHeight + StripLayout.rowGap) - StripLayout.rowGap + (legendHeight > 0 ? 12 + legendHeight : 0)
                + StripLayout.margin).rounded(.up))
    }

    /// Pixels of a contribution's bar.
    func barLength(_ contribution: Float) -> Double {
        longest > 0 && contribution.isFinite ? StripLayout.longestBar * Double(abs(contribution) / longest) : 0
    }

    /// How much larger or smaller a frame is drawn, so that its longer side has 128 to 192 pixels: by a whole number where
    /// it is small.
    private static func scale(rows: Int, columns: Int) -> Double {
        let side = Double(max(rows, columns))
        if side > 192 { return 144 / side }
        return side >= 128 ? 1 : max(1, (128 / side).rounded())
    }
}

/// Widths of text, without a picture to write on.
struct TextMeasure {
    private let canvas = try? Canvas(width: 1, height: 1)

    func width(_ text: String, _ size: Double, isBold: Bool = false) -> Double {
        text.isEmpty ? 0 : canvas?.textWidth(text, size: size, isBold: isBold) ?? size * 0.7 * Double(text.count)
    }

    /// `text` in lines of at most `width`, cut at spaces, and within words that are longer.
    func lines(_ text: String, _ size: Double, isBold: Bool = false, within room: Double) -> [String] {
        var lines: [String] = []
        var line = ""
        func fits(_ text: String) -> Bool { width(text, size, isBold: isBold) <= room }
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            let longer = line.isEmpty ? String(word) : line + " " + word
            if fits(longer) {
                line = longer
                continue
            }
            if !line.isEmpty { lines.append(line) }
            line = ""
            for character in word {
                if !line.isEmpty, !fits(line + String(character)) {
                    lines.append(line)
                    line = ""
                }
                line.append(character)
            }
        }
        if !line.isEmpty { lines.append(line) }
        return lines
    }
}
