import Foundation
import Testing
import VidReport

@Suite struct ConfusionPlotTests {
    private func numbers(_ svg: String, _ name: String) -> [String: String] {
        var numbers: [String: String] = [:]
        for part in svg.components(separatedBy: "data-name=\"\(name).").dropFirst() {
            let text = part.components(separatedBy: "\">")[1].prefix { $0 != "<" }
            numbers[part.components(separatedBy: "\"")[0]] = String(text)
        }
        return numbers
    }

    @Test func cellsHoldCountsAndPercents() {
        let svg = ConfusionPlot.pair(["a", "b", "c"], [[3, 1, 0], [0, 0, 2], [0, 0, 0]], palette: .file).file
        // Zeros are shown on the diagonal only, and for no class without clips.
        #expect(numbers(svg, "confusion") == ["0.0": "3", "0.1": "1", "1.1": "0", "1.2": "2"])
        #expect(numbers(svg, "confusion_percent") == ["0.0": "75", "0.1": "25", "1.1": "0", "1.2": "100"])
        #expect(svg.contains("3 of 6 clips are on the diagonal"))
    }

    @Test func largeMatricesHaveNoNumbersAndHugeOnesNoNames() {
        func svg(_ count: Int) -> String {
            ConfusionPlot((0..<count).map { "name\($0)." }, SampleReports.diagonal(count, 1), .counts, palette: .file).picture.file
        }
        #expect(svg(30).contains("data-name") && svg(30).contains("name29."))
        #expect(!svg(31).contains("data-name") && svg(60).contains("name59."))
        #expect(!svg(61).contains("name") && svg(61).contains(">11<"))
    }

    /// The canvas shows the same matrix: full cells are dark, empty ones light.
    @Test func theCanvasHasTheCellsOfTheMatrix() throws {
        let canvas = try ConfusionPlot(
            SampleReports.evaluation(["a", "b"], confusion: [[9, 0], [0, 9]]), heading: "Validation after epoch 3"
        ).canvas()
        // Two classes: cells of 64 pixels, left of them the names' margin.
        let left = Int(12 * 0.62 + 16 + 22)
        let top = Int(64 + 20 + (12 * 0.62 + 16) * 0.72)
        let rgb = canvas.rgb
        func blue(_ row: Int, _ column: Int) -> Bool {
            let at = ((top + row * 64 + 10) * canvas.width + left + column * 64 + 10) * 3
            return rgb[at] < 100 && rgb[at + 2] > 150
        }
        #expect(blue(0, 0) && blue(1, 1) && !blue(0, 1) && !blue(1, 0))
    }
}

@Suite struct CurveTests {
    @Test func comparedRunsAreNamedAndDescribed() throws {
        let epochs = try SampleReports.report(SampleReports.evaluation(["a", "b"], clips: 4)).story?.epochs ?? []
        let svg = ComparisonPlot([("first <run>", epochs), ("empty", [])]).picture.file
        #expect(svg.contains("Validation curves of 2 runs") && svg.contains(">first &lt;run&gt;</text>"))
        #expect(svg.contains("first &lt;run&gt;: accuracy 0.600 after epoch 4. empty: no epochs."))
    }

    @Test func thePanelsDescribeTheirCurves() throws {
        let epochs = try SampleReports.report(SampleReports.evaluation(["a", "b"], clips: 4)).story?.epochs ?? []
        let panels = CurvePlot(epochs, best: 4, palette: .file).panels
        #expect(panels.map(\.title) == ["Loss", "Accuracy", "Learning rate"])
        #expect(panels[0].summary.contains("From 1.000 at epoch 1 to 0.250 at epoch 4 (training)."))
        #expect(panels[0].summary.contains("From 1.200 at epoch 1 to 0.300 at epoch 4 (validation). The best epoch is 4."))
    }
}
