/// A confusion matrix: rows are the truth, columns the decision; the fuller a cell, the deeper its colour.
///
/// Up to 30 classes cells hold their numbers; up to 60, names stand beside rows and columns; beyond that rows and columns are
/// numbered, and what is off the diagonal is drawn strongly enough to be seen.
package struct ConfusionPlot {
    package enum Kind: String, Sendable {
        case counts
        /// Each row divided by its sum.
        case shares
    }

    private let classes: [String]
    private let cells: [[Int]]
    private let kind: Kind
    private let palette: Palette

    package static let mostNumbered = 30
    private static let mostNamed = 60
    /// Shades of cells.
    private static let levels = 16
    /// The deepest, so that black numbers stay readable on it.
    private static let deepest = 0.8

    package init(_ classes: [String], _ cells: [[Int]], _ kind: Kind, palette: Palette) {
        self.classes = classes
        self.cells = cells
        self.kind = kind
        self.palette = palette
    }

    /// Counts and shares side by side: `confusion_matrix.svg`.
    package static func pair(_ classes: [String], _ cells: [[Int]], palette: Palette) -> Picture {
        let pictures = [Kind.counts, .shares].map { ConfusionPlot(classes, cells, $0, palette: palette).picture }
        var both = Picture(
            width: pictures.reduce(0) { $0 + $1.width }, height: pictures[0].height, title: "Confusion matrices",
            summary: pictures[0].summary, palette: palette)
        both.add(pictures[0], x: 0, y: 0)
        both.add(pictures[1], x: pictures[0].width, y: 0)
        return both
    }

    package var picture: Picture {
        let count = classes.count
        let isNamed = count <= ConfusionPlot.mostNamed
        let isNumbered = count <= ConfusionPlot.mostNumbered
        let cell = isNumbered ? max(34, min(64, 300 / Double(max(count, 1)))) : isNamed ? 16 : max(1.5, 720 / Double(count))
        let size = isNumbered ? 12.0 : 11
        let names = classes.map { Markup.shortened($0, 18) }
        let longest = Double(names.map(\.count).max() ?? 0)
        let margin = isNamed ? longest * size * 0.62 + 16 : 44.0
        let (left, top) = (margin + 22, 64 + (isNamed ? margin * 0.72 : 20))
        let side = cell * Double(count)
        var picture = Picture(
            width: max(left + side + max(18, isNamed ? margin * 0.55 : 18), 260), height: top + side + 18,
            title: kind == .counts ? "Confusion matrix, counts of clips" : "Confusion matrix, each row as percentages of its class",
            summary: summary, palette: palette)
        picture.text(kind == .counts ? "Clips" : "Percent of each class", x: 12, y: 22, size: 15, isBold: true)
        picture.text("decision \u{2192}", x: left, y: 42, fill: palette.muted)
        picture.text("truth \u{2192}", x: 14, y: top + min(side, 120), fill: palette.muted, turn: -90)
        picture.rectangle(x: left, y: top, width: side, height: side, fill: palette.heat, opacity: 0.04)
        draw(&picture, left: left, top: top, cell: cell)
        if isNumbered { write(&picture, left: left, top: top, cell: cell) }
        if isNamed {
            for (place, name) in names.enumerated() {
                let middle = (Double(place) + 0.5) * cell
                picture.text(name, x: left - 7, y: top + middle + size * 0.36, size: size, anchor: .end)
                picture.text(name, x: left + middle + 3, y: top - 7, size: size, turn: -45)
            }
        } else {
            let axis = Axis([0, Double(count)], from: 0, to: side, ticks: 8, isWhole: true)
            for tick in axis.ticks where Int(tick) < count {
                picture.text("\(Int(tick) + 1)", x: left - 5, y: top + axis.position(tick) + 9, size: 10, anchor: .end, fill: palette.muted)
                picture.text("\(Int(tick) + 1)", x: left + axis.position(tick), y: top - 5, size: 10, fill: palette.muted)
            }
        }
        return picture
    }

    private var summary: String {
        let hits = classes.indices.reduce(0) { $0 + cells[$1][$1] }
        let total = cells.reduce(0) { $0 + $1.reduce(0, +) }
        return "Rows are the true classes, columns the decisions, \(classes.count) of each. \(hits) of \(total) clips are on the diagonal, "
            + "where the decision is right."
    }

    private func share(_ truth: Int, _ decision: Int) -> Double {
        let sum = cells[truth].reduce(0, +)
        return sum == 0 ? 0 : Double(cells[truth][decision]) / Double(sum)
    }

    /// The cells that are not empty, all of one shade as one path.
    private func draw(_ picture: inout Picture, left: Double, top: Double, cell: Double) {
        let largest = Double(cells.joined().max() ?? 0)
        var paths = [String](repeating: "", count: ConfusionPlot.levels + 1)
        let gap = cell > 8 ? 1.0 : 0
        for (truth, row) in cells.enumerated() {
            let sum = Double(row.reduce(0, +))
            for (decision, clips) in row.enumerated() where clips > 0 {
                let value = kind == .counts ? Double(clips) / largest : Double(clips) / sum
                // Where cells are too small for numbers, a single clip off the diagonal must still show.
                let least = classes.count > ConfusionPlot.mostNumbered ? 0.35 : 0.08
                let level = Int(((least + (1 - least) * value) * Double(ConfusionPlot.levels)).rounded())
                let size = Markup.number(cell - gap)
                paths[level] +=
                    "M\(Markup.number(left + Double(decision) * cell)) \(Markup.number(top + Double(truth) * cell))h\(size)v\(size)h-\(size)z"
            }
        }
        for (level, path) in paths.enumerated() where !path.isEmpty {
            let opacity = Double(level) / Double(ConfusionPlot.levels) * ConfusionPlot.deepest
            picture.add("<path d=\"\(path)\" fill=\"\(palette.heat)\" fill-opacity=\"\(Markup.number(opacity))\"/>")
        }
        for place in 0...classes.count where classes.count <= ConfusionPlot.mostNamed {
            let at = Double(place) * cell
            let side = Double(classes.count) * cell
            picture.line(left, top + at, left + side, top + at, width: 0.5)
            picture.line(left + at, top, left + at, top + side, width: 0.5)
        }
    }

    private func write(_ picture: inout Picture, left: Double, top: Double, cell: Double) {
        for (truth, row) in cells.enumerated() where row.reduce(0, +) > 0 {
            for (decision, clips) in row.enumerated() {
                let share = share(truth, decision)
                // Zeros off the diagonal would hide the rest.
                guard clips > 0 || truth == decision else { continue }
                picture.text(
                    kind == .counts ? "\(clips)" : Formatting.fixed(share * 100, 0), x: left + (Double(decision) + 0.5) * cell,
                    y: top + (Double(truth) + 0.5) * cell + 4.5, size: 13, anchor: .middle, fill: palette.heatText,
                    isBold: truth == decision, name: "\(kind == .counts ? "confusion" : "confusion_percent").\(truth).\(decision)")
            }
        }
    }
}
