import VidSystem
import VidTrain

/// A confusion matrix: rows are the true classes, columns the model's answers; fuller cells are darker.
///
/// Up to 30 classes, cells hold their numbers; up to 60, rows and columns have names. Beyond that, rows and columns are numbered, and
/// cells off the diagonal are always dark enough to be seen.
package struct ConfusionPlot {
    package enum Kind: String, Sendable {
        case counts
        /// Each row divided by its sum.
        case shares
        /// Counts as numbers, shares as colours.
        case countsOnShares
    }

    private let cells: [[Int]]
    private let kind: Kind
    private let palette: Palette
    private let heading: String
    private let note: String

    // The layout, in pixels.
    private let names: [String]
    private let cell: Double
    private let fontSize: Double
    private let left: Double
    private let top: Double
    private let width: Double
    private var isNamed: Bool { cells.count <= ConfusionPlot.mostNamed }
    private var isNumbered: Bool { cells.count <= ConfusionPlot.mostNumbered }
    private var side: Double { cell * Double(cells.count) }

    private static let mostNumbered = 30
    private static let mostNamed = 60
    /// The number of shades of cells.
    private static let levels = 16
    /// The opacity of the darkest shade; black numbers stay readable on it.
    private static let deepest = 0.8

    /// - Parameters:
    ///   - heading: the line above the matrix; by default the meaning of its numbers.
    ///   - note: a smaller line below the heading.
    package init(
        _ classes: [String], _ cells: [[Int]], _ kind: Kind, palette: Palette, heading: String? = nil, note: String = ""
    ) {
        (self.cells, self.kind, self.palette, self.note) = (cells, kind, palette, note)
        self.heading = heading ?? (kind == .shares ? "Percent of each class" : "Clips")
        let count = classes.count
        let (isNamed, isNumbered) = (count <= ConfusionPlot.mostNamed, count <= ConfusionPlot.mostNumbered)
        cell = isNumbered ? max(34, min(64, 300 / Double(max(count, 1)))) : isNamed ? 16 : max(1.5, 720 / Double(count))
        fontSize = isNumbered ? 12 : 11
        names = classes.map { $0.printable.shortened(toColumns: 18) }
        let margin = isNamed ? Double(names.map(\.columns).max() ?? 0) * fontSize * 0.62 + 16 : 44
        left = margin + 22
        top = 64 + (isNamed ? margin * 0.72 : 20) + (note.isEmpty ? 0 : 20)
        func extent(_ line: String, fontSize: Double) -> Double { Double(line.columns) * fontSize * 0.62 + 24 }
        let lines = max(extent(self.heading, fontSize: 15), extent(note, fontSize: 12))
        width = max(left + cell * Double(count) + max(18, isNamed ? margin * 0.55 : 18), 260, lines)
    }

    /// The counts of an evaluation with its accuracy and macro-F1, for TensorBoard.
    package init(_ evaluation: Evaluation, heading: String) {
        self.init(
            evaluation.classes, evaluation.confusion, .countsOnShares, palette: .file, heading: heading,
            note: "accuracy \(Formatting.fixed(evaluation.accuracy, 4)), macro F1 \(Formatting.fixed(evaluation.macroF1, 4)), "
                + Formatting.count(evaluation.clips.count, "clip"))
    }

    /// Counts and shares side by side: `confusion_matrix.svg`.
    package static func pair(_ classes: [String], _ cells: [[Int]], palette: Palette) -> Picture {
        let pictures = [Kind.counts, .shares].map { ConfusionPlot(classes, cells, $0, palette: palette).picture }
        return Picture(row: pictures, title: "Confusion matrices", summary: pictures[0].summary)
    }

    package var picture: Picture {
        let hits = cells.indices.reduce(0) { $0 + cells[$1][$1] }
        let total = cells.joined().reduce(0, +)
        var picture = Picture(
            width: width, height: top + side + 18,
            title: kind == .shares ? "Confusion matrix, each row in percent of its class" : "Confusion matrix, numbers of clips",
            summary: "Rows are the \(cells.count) true classes, columns the model's answers. \(hits) of \(total) clips are on the "
                + "diagonal, where the answer is right.", palette: palette)
        draw(on: &picture)
        return picture
    }

    package func canvas() throws -> Canvas {
        var canvas = try Canvas(width: Int(width.rounded(.up)), height: Int((top + side + 18).rounded(.up)))
        draw(on: &canvas)
        return canvas
    }

    private func draw(on surface: inout some PlotSurface) {
        surface.text(heading, x: 12, y: 22, size: 15, isBold: true)
        if !note.isEmpty { surface.text(note, x: 12, y: 42, fill: palette.muted) }
        surface.text("predicted class \u{2192}", x: left, y: note.isEmpty ? 42 : 62, fill: palette.muted)
        surface.text("true class \u{2192}", x: 14, y: top + min(side, 120), fill: palette.muted, turn: -90)
        surface.rectangle(x: left, y: top, width: side, height: side, fill: palette.heat, opacity: 0.04)
        drawCells(on: &surface)
        guard isNamed else { return drawNumbers(on: &surface) }
        for (place, name) in names.enumerated() {
            let middle = (Double(place) + 0.5) * cell
            surface.text(name, x: left - 7, y: top + middle + fontSize * 0.36, size: fontSize, anchor: .end)
            surface.text(name, x: left + middle + 3, y: top - 7, size: fontSize, turn: -45)
        }
    }

    /// The numbers of rows and columns, for classes that are too many to be named.
    private func drawNumbers(on surface: inout some PlotSurface) {
        let axis = Axis([0, Double(cells.count)], from: 0, to: side, ticks: 8, isWhole: true)
        for tick in axis.ticks where Int(tick) < cells.count {
            let (number, place) = ("\(Int(tick) + 1)", axis.position(tick))
            surface.text(number, x: left - 5, y: top + place + 9, size: 10, anchor: .end, fill: palette.muted)
            surface.text(number, x: left + place, y: top - 5, size: 10, fill: palette.muted)
        }
    }

    private func drawCells(on surface: inout some PlotSurface) {
        let largest = Double(cells.joined().max() ?? 0)
        // In cells that are too small for numbers, a single clip off the diagonal must still show.
        let least = isNumbered ? 0.08 : 0.35
        var corners = [[(x: Double, y: Double)]](repeating: [], count: ConfusionPlot.levels + 1)
        for (truth, row) in cells.enumerated() {
            let sum = Double(row.reduce(0, +))
            for (answer, clips) in row.enumerated() where clips > 0 {
                let value = Double(clips) / (kind == .counts ? largest : sum)
                let level = Int(((least + (1 - least) * value) * Double(ConfusionPlot.levels)).rounded())
                corners[level].append((left + Double(answer) * cell, top + Double(truth) * cell))
            }
        }
        for (level, corners) in corners.enumerated() where !corners.isEmpty {
            surface.squares(
                corners, side: cell - (cell > 8 ? 1 : 0), fill: palette.heat,
                opacity: Double(level) / Double(ConfusionPlot.levels) * ConfusionPlot.deepest)
        }
        for place in 0...cells.count where isNamed {
            let at = Double(place) * cell - 0.25
            surface.rectangle(x: left, y: top + at, width: side, height: 0.5, fill: palette.grid, opacity: 1)
            surface.rectangle(x: left + at, y: top, width: 0.5, height: side, fill: palette.grid, opacity: 1)
        }
        if isNumbered { write(on: &surface) }
    }

    private func write(on surface: inout some PlotSurface) {
        for (truth, row) in cells.enumerated() {
            let sum = row.reduce(0, +)
            // Zeros off the diagonal would hide the other numbers.
            for (answer, clips) in row.enumerated() where clips > 0 || (truth == answer && sum > 0) {
                surface.text(
                    kind == .shares ? Formatting.fixed(Double(clips) / Double(sum) * 100, 0) : "\(clips)",
                    x: left + (Double(answer) + 0.5) * cell, y: top + (Double(truth) + 0.5) * cell + 4.5, size: 13, anchor: .middle,
                    fill: palette.heatText, isBold: truth == answer,
                    name: "\(kind == .shares ? "confusion_percent" : "confusion").\(truth).\(answer)")
            }
        }
    }
}
