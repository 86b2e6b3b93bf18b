import Foundation
import FoundationXML
import Testing
import VidReport
import VidTestSupport
import VidTrain

@Suite struct ReportPageTests {
    private static let hostile = [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "a'b&amp;<b>", "line\nbreak\t\u{0}", "\u{202E}evil\u{202C}",
        "\u{5E9}\u{5DC}\u{5D5}\u{5DD}", "\u{1F3C3}\u{200D}\u{2642}\u{FE0F} run", "\u{FFFE}", "]]>", String(repeating: "long ", count: 60),
    ]

    /// Whether tags are closed in the order they were opened.
    private func isBalanced(_ page: String) -> Bool {
        let void: Set<String> = ["meta", "img", "br", "!DOCTYPE"]
        var open: [String] = []
        for part in page.components(separatedBy: "<").dropFirst() {
            guard let end = part.firstIndex(of: ">") else { return false }
            let tag = part[..<end]
            let name = String(tag.prefix { $0 != " " && $0 != "/" })
            if tag.hasPrefix("/") {
                guard open.popLast() == String(tag.dropFirst()) else { return false }
            } else if !tag.hasSuffix("/"), !void.contains(name) {
                open.append(name)
            }
        }
        return open.isEmpty
    }

    private func isWellFormed(_ picture: Picture) -> Bool { XMLParser(data: Data(picture.file.utf8)).parse() }

    @Test func namesOfAnyKindStayText() throws {
        let page = ReportPage(try SampleReports.report(SampleReports.evaluation(Self.hostile, clips: 40))).html
        #expect(isBalanced(page))
        for tag in ["<script", "<img src=x", "onerror=alert(1)>", "<b>"] { #expect(!page.contains(tag), "\(tag)") }
        #expect(
            !page.unicodeScalars.contains { ($0.value < 0x20 && $0 != "\n") || (0x202A...0x202E).contains($0.value) || $0.value == 0xFFFE })
        #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(page.contains("it is &lt;gone&gt;"))
    }

    @Test func nothingIsFetchedAndNoScriptRuns() throws {
        let page = ReportPage(try SampleReports.report(SampleReports.evaluation(["a", "b", "c"], clips: 30))).html
        #expect(page.contains("default-src 'none'"))
        #expect(!page.contains("<script") && !page.contains("<link") && !page.contains("url("))
        let addresses = page.components(separatedBy: "http").dropFirst().filter {
            !$0.hasPrefix("://www.w3.org/2000/svg") && !$0.hasPrefix("-equiv")
        }
        #expect(addresses.isEmpty)
    }

    @Test(arguments: [2, 8, 50, 400]) func anyNumberOfClasses(_ count: Int) throws {
        let evaluation = SampleReports.evaluation((0..<count).map { "class \($0)" }, clips: 2000)
        let page = ReportPage(try SampleReports.report(evaluation)).html
        #expect(isBalanced(page))
        #expect(page.utf8.count < 2_000_000)
        #expect(isWellFormed(ConfusionPlot.pair(evaluation.classes, evaluation.confusion, palette: .file)))
    }

    @Test func picturesAreWellFormed() {
        let evaluation = SampleReports.evaluation(Self.hostile, clips: 40)
        let metrics = EvaluationMetrics(evaluation)
        #expect(isWellFormed(ConfusionPlot.pair(evaluation.classes, evaluation.confusion, palette: .file)))
        #expect(isWellFormed(ClassPlot(metrics, palette: .file).picture))
        #expect(isWellFormed(ReliabilityPlot(metrics.calibration, palette: .file).picture))
        for epochs in [0, 1, 300] {
            let curve = (0..<epochs).map {
                EpochRecord(
                    epoch: $0 + 1, seconds: 1, trainLoss: $0 == 3 ? .nan : 1, trainAccuracy: 1, validation: nil, learningRate: 1e-7)
            }
            let row = CurvePlot(curve, best: epochs, palette: .file).row
            #expect(isWellFormed(row))
            #expect(!row.file.contains("nan") && !row.file.contains("inf"))
        }
    }

    @Test func theSameReportGivesTheSameBytes() throws {
        let evaluation = SampleReports.evaluation(["a", "b", "c"], clips: 50)
        #expect(ReportPage(try SampleReports.report(evaluation)).html == ReportPage(try SampleReports.report(evaluation)).html)
    }

    @Test func otherDataIsNotTheTrainings() throws {
        var report = try SampleReports.report(SampleReports.evaluation(["a", "b"], clips: 20), split: .other)
        #expect(ReportPage(report).html.contains("The data at the start of the training"))
        report.evaluatedData = report.data
        let page = ReportPage(report).html
        #expect(page.contains("The data of this evaluation") && !page.contains("at the start of the training"))
        // One split is not called the training split, and has no duplicates in another.
        #expect(page.contains("<th scope=\"row\">clips</th>") && !page.contains(">duplicates<"))
    }

    @Test func rangesOfSmallNumbersShowTheirEnds() throws {
        func digits(_ low: Double, _ high: Double) -> Int { Measure(low, Interval(low, high)).digits }
        #expect(digits(0.1, 0.3) == 3 && digits(0.0021, 0.0024) == 4 && digits(0.00021, 0.00024) == 5 && digits(1e-9, 2e-9) == 6)
        #expect(Measure(0.0004, nil).digits == 4 && Measure(0, nil).digits == 3)
    }

    @Test func wideContentSaysThatItScrolls() throws {
        let page = ReportPage(try SampleReports.report(SampleReports.evaluation((0..<20).map { "class \($0)" }, clips: 200))).html
        #expect(page.contains("<div class=\"plot wide\" tabindex=\"0\" role=\"group\""))
        #expect(page.contains("Scrolls sideways \\2192") && page.contains("no-repeat local") && page.contains("position:sticky"))
        let narrow = ReportPage(try SampleReports.report(SampleReports.evaluation(["a", "b"], clips: 20))).html
        #expect(!narrow.contains("<div class=\"plot wide\""))
    }

    @Test func foldsAreRepeatedTogether() throws {
        var report = try SampleReports.report(SampleReports.evaluation(["a", "b"], clips: 20))
        for command in [["vidclass", "train", "--folds", "3"], ["vidclass", "train", "--folds=3"]] {
            report.story = RunStory(
                folder: "runs/train/fold1", epochs: [], record: RunRecord(version: "0", command: command, started: ""), plannedEpochs: 4)
            #expect(ReportPage(report).html.contains("vidclass train --config runs/train/config.json --folds 3<"))
        }
    }

    @Test func aDataSummaryReadsBack() throws {
        let folder = try TestFolder()
        let report = try SampleReports.report(SampleReports.evaluation(Self.hostile, clips: 20))
        let data = try #require(report.data)
        try data.write(to: folder("data.json"))
        #expect(DataSummary(readingFrom: folder("data.json")) == data)
        #expect(DataSummary(readingFrom: folder("none.json")) == nil)
    }
}
