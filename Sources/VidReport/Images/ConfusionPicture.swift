import VidSystem
import VidTensor
import VidTrain

/// A confusion matrix as a picture: rows are the truth, columns the decision; the darker a cell, the larger its share of its row.
/// Counts stand in the cells where these are large enough.
package struct ConfusionPicture {
    private let evaluation: Evaluation
    private let title: String
    private let cell: Double
    private let fontSize: Double

    private static let ink = Canvas.Color(0.13, 0.13, 0.13)
    private static let faint = Canvas.Color(0.45, 0.45, 0.45)
    /// Characters of a class's name that are shown.
    private static let longestName = 24

    package init(_ evaluation: Evaluation, title: String) {
        self.evaluation = evaluation
        self.title = title
        // Large where there are few classes, but a hundred of them still fit a screen and have names that can be read.
        cell = max(13, min(56, 640 / Double(max(evaluation.classes.count, 1)))).rounded()
        fontSize = min(13, cell * 0.8)
    }

    package func draw() throws -> Canvas {
        let count = evaluation.classes.count
        let names = evaluation.classes.map { $0.printable.cut(toColumns: ConfusionPicture.longestName) }
        let ruler = try Canvas(width: 1, height: 1)
        let nameWidth = (names.map { ruler.textWidth($0, size: fontSize) }.max() ?? 0).rounded(.up)
        let headline =
            "accuracy \(Formatting.fixed(evaluation.accuracy, 4)), macro F1 \(Formatting.fixed(evaluation.macroF1, 4)), "
            + Formatting.count(evaluation.clips.count, "clip")
        let (left, top) = (nameWidth + 40, nameWidth + 84)
        let side = cell * Double(count)
        let needed = max(left + side, 24 + ruler.textWidth(headline, size: 13), 24 + ruler.textWidth(title, size: 16, isBold: true))
        let canvas = try Canvas(
            width: min(Canvas.largestSide, Int(needed + 16)), height: min(Canvas.largestSide, Int(top + side + 16)))
        canvas.text(title, x: 12, y: 24, size: 16, ConfusionPicture.ink, isBold: true)
        canvas.text(headline, x: 12, y: 44, size: 13, ConfusionPicture.faint)
        canvas.text("decision", x: left, y: top - nameWidth - 14, size: 12, ConfusionPicture.faint)
        canvas.uprightText("truth", x: 18, y: top + min(side, 60), size: 12, ConfusionPicture.faint)
        for (index, name) in names.enumerated() {
            let middle = (Double(index) + 0.5) * cell + fontSize * 0.35
            canvas.text(name, x: left - 6, y: top + middle, size: fontSize, ConfusionPicture.ink, anchor: .trailing)
            canvas.uprightText(name, x: left + middle, y: top - 6, size: fontSize, ConfusionPicture.ink)
        }
        for (row, line) in evaluation.confusion.enumerated() { draw(line, row: row, x: left, y: top + Double(row) * cell, on: canvas) }
        return canvas
    }

    private func draw(_ line: [Int], row: Int, x: Double, y: Double, on canvas: Canvas) {
        let support = Double(max(line.reduce(0, +), 1))
        for (column, count) in line.enumerated() {
            let share = Double(count) / support
            let at = x + Double(column) * cell
            canvas.fill(x: at, y: y, width: cell, height: cell, column == row ? .init(0.75, 0.75, 0.75) : .init(0.88, 0.88, 0.88))
            canvas.fill(x: at + 0.5, y: y + 0.5, width: cell - 1, height: cell - 1, ConfusionPicture.shade(share))
            guard count > 0 else { continue }
            let text = "\(count)"
            let size = min(fontSize, fontSize * (cell - 3) / max(canvas.textWidth(text, size: fontSize), 1))
            guard size >= 6 else { continue }
            canvas.text(
                text, x: at + cell / 2, y: y + cell / 2 + size * 0.35, size: size, share > 0.4 ? .white : ConfusionPicture.ink,
                anchor: .middle)
        }
    }

    /// White to dark blue: a scale of lightness, which needs no seeing of colours.
    private static func shade(_ share: Double) -> Canvas.Color {
        let root = share.squareRoot()
        return Canvas.Color(1 - 0.97 * root, 1 - 0.81 * root, 1 - 0.58 * root)
    }
}
