import VidSystem
import VidTensor
import VidTrain

/// The curves of several trainings: validation loss and accuracy over the epochs, a line for each run.
///
/// Runs differ in colour, dash and mark, and are named below the plot.
package struct ComparisonPlot {
    package typealias Run = (name: String, epochs: [EpochRecord])

    private let runs: [Run]
    /// Whether no run has validation metrics, so that the training metrics are drawn.
    private let isTraining: Bool

    private static let panelWidth = 480.0
    private static let panelHeight = 320.0
    private static let legendRow = 20.0
    /// Those of Okabe and Ito ("Color universal design", 2008) that stand out on white; three dashes make 15 different lines.
    private static let colors = ["#0072b2", "#c14e00", "#007a5a", "#a63d83", "#4d4d4d"]
    private static let dashes: [String?] = [nil, "7 4", "2 3"]
    private static let marks: [Picture.Mark] = [.circle, .square, .diamond]

    package init(_ runs: [Run]) {
        self.runs = runs
        isTraining = !runs.contains { $0.epochs.contains { $0.validationLoss != nil } }
    }

    package var picture: Picture {
        let split = isTraining ? "Training" : "Validation"
        var picture = Picture(
            width: 2 * ComparisonPlot.panelWidth,
            height: ComparisonPlot.panelHeight + ComparisonPlot.legendRow * Double(runs.count) + 16,
            title: "\(split) curves of \(runs.count) runs",
            summary: runs.map(summary).joined(separator: " "), palette: .file)
        panel(&picture, "\(split) loss", x: 0) { [isTraining] in isTraining ? $0.trainLoss : $0.validationLoss }
        panel(&picture, "\(split) accuracy", x: ComparisonPlot.panelWidth) { [isTraining] in
            isTraining ? $0.trainAccuracy : $0.validationAccuracy
        }
        for (index, run) in runs.enumerated() {
            let y = ComparisonPlot.panelHeight + ComparisonPlot.legendRow * Double(index) + 10
            let look = look(index)
            picture.line(58, y, 88, y, stroke: look.color, width: 2, dash: look.dash)
            picture.mark(look.mark, x: 73, y: y, size: 3, fill: look.color)
            picture.text(run.name.printable.shortened(toColumns: 80), x: 96, y: y + 4)
        }
        return picture
    }

    private func look(_ index: Int) -> (color: String, dash: String?, mark: Picture.Mark) {
        let colors = ComparisonPlot.colors.count
        return (
            ComparisonPlot.colors[index % colors], ComparisonPlot.dashes[index / colors % 3], ComparisonPlot.marks[index % 3]
        )
    }

    private func summary(_ run: Run) -> String {
        let values = run.epochs.compactMap { isTraining ? $0.trainAccuracy : $0.validationAccuracy }
        guard let last = values.last else { return "\(run.name): no epochs." }
        return "\(run.name): accuracy \(Formatting.fixed(last, 3)) after epoch \(run.epochs.last?.epoch ?? 0)."
    }

    private func panel(_ picture: inout Picture, _ title: String, x: Double, _ value: (EpochRecord) -> Double?) {
        let curves = runs.map { run in
            run.epochs.compactMap { epoch in value(epoch).flatMap { Axis.canShow($0) ? (Double(epoch.epoch), $0) : nil } }
        }
        let axes = EpochAxes(
            epochs: curves.joined().map(\.0), values: curves.joined().map(\.1), left: x + 58, right: x + ComparisonPlot.panelWidth - 18,
            top: 44, bottom: ComparisonPlot.panelHeight - 52)
        axes.draw(on: &picture, title, x: x + 12)
        for (index, curve) in curves.enumerated() {
            let look = look(index)
            axes.draw(curve, on: &picture, look.color, dash: look.dash, look.mark)
        }
    }
}
