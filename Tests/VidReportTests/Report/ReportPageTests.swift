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

    @Test func thePageSaysWhichClipsWereEvaluated() throws {
        let evaluation = SampleReports.evaluation(["a", "b"], clips: 20)
        func page(_ split: EvaluatedSplit) throws -> String { ReportPage(try SampleReports.report(evaluation, split: split)).html }
        #expect(try page(.test).contains("neither for training nor for choosing the best epoch"))
        #expect(try page(.validation).contains("slightly too optimistic"))
        #expect(try page(.training).contains("nothing about new clips"))
        #expect(try page(.other).contains("The clips are from"))
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
